import type { DeployResult } from "@property-search/operations/deploy/deploy.ts";
import type { VerifyResult } from "@property-search/operations/deploy/verify.ts";
import { clusterNodes, findEngine } from "./kind/engine.ts";
import { listOwnLeftovers } from "./node/remove.ts";
import { planForContext } from "./plans/context.ts";
import { planForKind } from "./plans/kind.ts";
import { planForNode } from "./plans/node.ts";
import type { UpContext, Plan } from "./plans/plan.ts";
import { runTasks } from "./tasks.ts";
import { chooseTarget, findKindProblem, type Choice } from "./target.ts";

export interface UpOptions {
    /** Context of an existing cluster. */
    readonly context?: string;
    /** Stack for an existing cluster. Default: the one that it has */
    readonly stack?: string;
    readonly signal: AbortSignal;
}

export interface UpResult {
    readonly deployed: DeployResult;
    readonly verified: VerifyResult;
    /** Undefined: the cluster already served requests before the run. */
    readonly servingSeconds: number | undefined;
    readonly seconds: number;
    readonly nextSteps: readonly string[];
    /** Command that removes the platform. */
    readonly teardownCommand: string;
}

/** Brings up the platform: first the service, then monitoring and autoscaling. */
export async function up(options: UpOptions): Promise<UpResult> {
    const started = Date.now();
    const engine = await findEngine();
    const choice = chooseTarget({
        ...(options.context !== undefined && { context: options.context }),
        ...(process.env.CLUSTER !== undefined && { requested: process.env.CLUSTER }),
        kindExists: engine !== undefined && (await clusterNodes(engine)).length > 0,
        nodeExists: (await listOwnLeftovers()).length > 0,
        ...kindProblemOf(await findKindProblem(engine)),
        platform: process.platform,
    });
    console.log(describeChoice(choice));
    if (choice.kind === "context") {
        return runPlan(
            await planForContext(choice.context, options.stack, options.signal),
            started,
        );
    }
    return choice.kind === "kind" && engine !== undefined
        ? runPlan(await planForKind(engine, options.signal), started)
        : runPlan(await planForNode(options.signal), started);
}

async function runPlan<C extends UpContext>(plan: Plan<C>, started: number): Promise<UpResult> {
    const { state } = plan;
    await runTasks(state, plan.serving);
    const servingSeconds = state.verified && secondsSince(started);
    if (servingSeconds !== undefined && plan.completing.length > 0) {
        console.log(`Serving after ${servingSeconds.toFixed(0)} s`);
    }
    await runTasks(state, plan.completing);
    const { deployed, verified } = state;
    if (!deployed || !verified) throw new Error("the tasks finished without a deployment");
    const nextSteps = plan.nextSteps(state);
    return {
        deployed,
        verified,
        servingSeconds,
        seconds: secondsSince(started),
        nextSteps,
        teardownCommand: plan.teardownCommand,
    };
}

function describeChoice(choice: Choice): string {
    if (choice.kind === "context") return `Using the existing cluster ${choice.context}`;
    const where =
        choice.kind === "kind" ? "a kind cluster" : "a single-node cluster on this machine";
    return `Using ${where}: ${choice.reason}`;
}

function kindProblemOf(missing: string | undefined): { kindProblem?: string } {
    return missing === undefined ? {} : { kindProblem: missing };
}

function secondsSince(started: number): number {
    return (Date.now() - started) / 1000;
}
