import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { PATHS } from "../paths.ts";
import { tryRun } from "../shell.ts";
import { NETWORK } from "./network.ts";

/** Folder with the iptables commands that kube-router finds first on its PATH. */
export const FIREWALL = path.join(PATHS.node, "firewall");
/** Port of kube-router's health. */
export const HEALTH_PORT = 20_244;

const IN_NETWORK = `--net=/run/netns/${NETWORK.namespace}`;
const COMMANDS = ["iptables", "iptables-save", "iptables-restore"];

/**
 * Gives kube-router tables of its own: it restores all of the filter table from what it read before, and so
 * would bring back rules that kube-proxy has replaced meanwhile. kube-proxy's are nftables'; the older
 * tables are kube-router's, where the kernel still has them.
 */
export async function installFirewallTools(): Promise<void> {
    const legacy = await tryRun("nsenter", [IN_NETWORK, "iptables-legacy", "--list-rules"]);
    const program = `/usr/sbin/xtables-${legacy === undefined ? "nft" : "legacy"}-multi`;
    await mkdir(FIREWALL, { recursive: true });
    for (const command of COMMANDS) await symlink(program, path.join(FIREWALL, command));
}

/** @returns whether kube-router runs and the kernel has its rules; without it, all traffic is allowed */
export async function isEnforcingPolicies(): Promise<boolean> {
    const address = `http://${NETWORK.nodeAddress}:${HEALTH_PORT}/healthz`;
    const health = await fetch(address, { signal: AbortSignal.timeout(2000) }).catch(
        () => undefined,
    );
    if (health?.status !== 200) return false;
    const chain = ["-w", "--list-rules", "KUBE-ROUTER-FORWARD"];
    const rules = await tryRun("nsenter", [IN_NETWORK, path.join(FIREWALL, "iptables"), ...chain]);
    // The last rule of a whole sync, and not of the chains that come before it.
    return rules?.includes("KUBE-NWPLCY-TAIL") === true;
}
