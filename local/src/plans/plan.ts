import type { DeployResult } from "@property-search/operations/deploy/deploy.ts";
import type { VerifyResult } from "@property-search/operations/deploy/verify.ts";
import type { ListrTask } from "listr2";

/** State of a run; every plan sets both fields. */
export interface UpContext {
    deployed?: DeployResult;
    verified?: VerifyResult;
}

/** The tasks that bring up the platform on one type of cluster. */
export interface Plan<C extends UpContext> {
    readonly state: C;
    /** Tasks until the service serves requests. */
    readonly serving: ListrTask<C>[];
    /** Tasks afterwards: monitoring and autoscaling. */
    readonly completing: ListrTask<C>[];
    /** Commands and hints for the user. */
    readonly nextSteps: (state: C) => readonly string[];
    /** Command that removes the platform. */
    readonly teardownCommand: string;
}
