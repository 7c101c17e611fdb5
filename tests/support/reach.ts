import type { V1Pod } from "@kubernetes/client-node";
import { runOnNode } from "../../local/src/node/runOnNode.ts";

/** Result of a connection: accepted, rejected or lost. */
export type Reach = "open" | "closed";
export type Protocol = "TCP" | "UDP";

const SECONDS = 5;

/** A query for the root's name servers (RFC 1035, 4.1), which a DNS server answers whether it knows them or not. */
const DNS_QUERY = String.raw`\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01`;

const SCRIPTS: Readonly<Record<Protocol, string>> = {
    TCP: 'exec 3<>"/dev/tcp/$0/$1"',
    UDP: `exec 3<>"/dev/udp/$0/$1" && printf '${DNS_QUERY}' >&3 && head -c 2 <&3 | grep -q .`,
};

/** Exit code of a connection that is not made; any other one is no answer of the network. */
const CLOSED = 9;

/** By any process of the pod, its sandbox too: containers that were restarted have other ids. */
const IN_POD = [
    'file=$(grep -lsE "$0" /proc/[0-9]*/cgroup | head -n 1)',
    '[ -n "$file" ] || { echo "no process of the pod is here" >&2; exit 1; }',
    `exec nsenter --net="\${file%/cgroup}/ns/net" bash -c 'timeout ${SECONDS} bash -c "$0" "$@" || exit ${CLOSED}' "$@"`,
].join("; ");

/** Connects from within a pod's own network, where its policies see the pod, with a command of its node. */
export async function reach(
    { metadata }: V1Pod,
    address: string,
    port: number,
    protocol: Protocol = "TCP",
): Promise<Reach> {
    // systemd's names of cgroups have no dashes.
    const cgroup = `pod${(metadata?.uid ?? "").replaceAll("-", "[-_]")}`;
    const connect = [SCRIPTS[protocol], address, `${port}`];
    try {
        await runOnNode("bash", "-c", IN_POD, cgroup, ...connect);
        return "open";
    } catch (error) {
        if ((error as { code?: unknown }).code === CLOSED) return "closed";
        throw error;
    }
}
