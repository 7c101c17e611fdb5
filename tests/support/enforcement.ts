import { execFileSync } from "node:child_process";
import path from "node:path";
import { KUBECONFIG } from "../../local/src/node/start.ts";

const PROBE = path.join(import.meta.dirname, "enforcementProbe.ts");

/**
 * Whether the cluster under test enforces network policies: by trial, while a test file is read, since that
 * decides which tests there are. The node of `make up` has to; another cluster's network may not, such as kind's on a
 * kernel without queues of nftables.
 */
export function policiesAreEnforced(): boolean {
    if (process.env.KUBECONFIG === KUBECONFIG) return true;
    // Jest's own Node settings are not for it.
    const env = { ...process.env, NODE_OPTIONS: "" };
    const answer = execFileSync(process.execPath, [PROBE], { env, encoding: "utf8" });
    return answer.trim() === "true";
}
