import type { V1Pod } from "@kubernetes/client-node";
import { execFile } from "node:child_process";
import { processesOf } from "./host.ts";

/** What a connection came to: a listener answered, or it was refused or lost on its way. */
export type Reach = "open" | "closed";
export type Protocol = "TCP" | "UDP";

const SECONDS = 5;

/** A query for the root's name servers (RFC 1035, 4.1), which a DNS server answers whether it knows them or not. */
const DNS_QUERY = String.raw`\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01`;

const SCRIPTS: Readonly<Record<Protocol, string>> = {
    TCP: 'exec 3<>"/dev/tcp/$0/$1"',
    UDP: `exec 3<>"/dev/udp/$0/$1" && printf '${DNS_QUERY}' >&3 && head -c 2 <&3 | grep -q .`,
};

/** Connects from within a pod's own network, where its policies see the pod, with a command of this machine. */
export function reach(
    from: V1Pod,
    address: string,
    port: number,
    protocol: Protocol = "TCP",
): Promise<Reach> {
    const [process] = processesOf(from);
    const network = [`--net=/proc/${process ?? ""}/ns/net`];
    const command = ["timeout", `${SECONDS}`, "bash", "-c", SCRIPTS[protocol], address, `${port}`];
    return new Promise((resolve) => {
        execFile("nsenter", [...network, ...command], (error) => {
            resolve(error === null ? "open" : "closed");
        });
    });
}
