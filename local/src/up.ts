import type { Deployed } from "@property-search/operations/deploy/deploy.ts";
import type { Verified } from "@property-search/operations/deploy/verify.ts";
import { clusterNodes, findEngine } from "./kind/engine.ts";
import { ownLeftovers } from "./node/remove.ts";
import { planForContext } from "./plans/context.ts";
import { planForKind } from "./plans/kind.ts";
import { planForNode } from "./plans/node.ts";
import type { Made, Plan } from "./plans/plan.ts";
import { runTasks } from "./tasks.ts";
import { chooseTarget, missingForKind, type Choice } from "./target.ts";

export interface UpOptions {
    /** An existing cluster's context. */
    readonly context?: string;
    /** The stack that goes to an existing cluster. Default: the one that it has */
    readonly stack?: string;
    readonly signal: AbortSignal;
}

export interface UpResult {
    readonly deployed: Deployed;
    readonly verified: Verified;
    /** Undefined: the cluster served when the run began, and was deployed to once. */
    readonly servingSeconds: number | undefined;
    readonly seconds: number;
    readonly look: readonly string[];
    /** The command that ends it. */
    readonly end: string;
}

/** Brings the whole platform up: serves first, then completes. */
export async function up(options: UpOptions): Promise<UpResult> {
    const started = Date.now();
    const engine = await findEngine();
    const choice = chooseTarget({
        ...(options.context !== undefined && { context: options.context }),
        ...(process.env.CLUSTER !== undefined && { asked: process.env.CLUSTER }),
        kindHere: engine !== undefined && (await clusterNodes(engine)).length > 0,
        node: (await ownLeftovers()).length > 0,
        ...kindOffer(await missingForKind(engine)),
        platform: process.platform,
    });
    console.log(sentence(choice));
    if (choice.kind === "context") {
        return follow(await planForContext(choice.context, options.stack, options.signal), started);
    }
    return choice.kind === "kind" && engine !== undefined
        ? follow(await planForKind(engine, options.signal), started)
        : follow(await planForNode(options.signal), started);
}

async function follow<C extends Made>(plan: Plan<C>, started: number): Promise<UpResult> {
    const { made } = plan;
    await runTasks(made, plan.serving);
    const servingSeconds = made.verified && secondsSince(started);
    if (servingSeconds !== undefined && plan.completing.length > 0) {
        console.log(`Serving after ${servingSeconds.toFixed(0)} s`);
    }
    await runTasks(made, plan.completing);
    const { deployed, verified } = made;
    if (!deployed || !verified) throw new Error("the steps ended without a deployment");
    const look = plan.look(made);
    return {
        deployed,
        verified,
        servingSeconds,
        seconds: secondsSince(started),
        look,
        end: plan.end,
    };
}

function sentence(choice: Choice): string {
    if (choice.kind === "context") return `On the existing cluster ${choice.context}`;
    const where = choice.kind === "kind" ? "kind" : "a node of this machine's own";
    return `On ${where}: ${choice.why}`;
}

function kindOffer(missing: string | undefined): { kindMissing?: string } {
    return missing === undefined ? {} : { kindMissing: missing };
}

function secondsSince(started: number): number {
    return (Date.now() - started) / 1000;
}
