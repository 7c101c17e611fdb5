import { execa } from "execa";
import { ClusterError } from "../apply/cluster.ts";
import { PROGRAM } from "../render.ts";
import { missingForPulumi } from "./installed.ts";
import { policyFlags } from "./policies.ts";

export interface PreviewOptions {
    readonly stack: string;
    /** Read from the cluster what is there, and fail by any change. Default: false */
    readonly drift?: boolean;
    readonly signal?: AbortSignal;
}

/**
 * `pulumi preview` of a stack with the policy pack, on the backend the user is logged in to, printed as it
 * comes.
 *
 * @throws ClusterError when something is missing, when a mandatory policy is violated, and by drift
 */
export async function pulumiPreview({ stack, drift, signal }: PreviewOptions): Promise<void> {
    const missing = await missingForPulumi();
    if (missing !== undefined) {
        throw new ClusterError(
            `a preview needs Pulumi, but ${missing}; make render STACK=${stack} shows the objects, ` +
                `make policies STACK=${stack} asks the policies of them`,
        );
    }
    const compared = drift ? ["--refresh", "--expect-no-changes"] : [];
    const flags = ["--stack", stack, "--diff", ...compared, ...policyFlags(stack)];
    const { exitCode } = await execa("pulumi", ["preview", ...flags], {
        cwd: PROGRAM,
        stdio: "inherit",
        reject: false,
        ...(signal && { cancelSignal: signal }),
    });
    signal?.throwIfAborted();
    if (exitCode === 0) return;
    throw new ClusterError(
        `pulumi preview of ${stack} ${drift ? "found changes, or " : ""}failed with exit code ${exitCode}; ` +
            "its own words stand above",
    );
}
