import { execa } from "execa";
import { ClusterError } from "../apply/cluster.ts";
import { PROGRAM } from "../render.ts";
import { missingForPulumi } from "./installed.ts";

/** `pulumi preview` of a stack on the backend the user is logged in to, printed as it comes. */
export async function pulumiPreview(stack: string, signal?: AbortSignal): Promise<void> {
    const missing = await missingForPulumi();
    if (missing !== undefined) {
        throw new ClusterError(
            `a preview needs Pulumi, but ${missing}; make render STACK=${stack} shows the objects`,
        );
    }
    await execa("pulumi", ["preview", "--stack", stack, "--diff"], {
        cwd: PROGRAM,
        stdio: "inherit",
        ...(signal && { cancelSignal: signal }),
    });
}
