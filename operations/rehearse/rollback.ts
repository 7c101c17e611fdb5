import { otherColour, UserError, type Colour, type Weights } from "@property-search/contract";
import { readStackWeights, restoreStackWeights } from "../deploy/configuredWeights.ts";
import { readLiveWeights } from "../gateway/endpoint.ts";
import { isUnderWay, readSwitch } from "../shared/releaseRecord.ts";
import { withGoal } from "./evidence.ts";
import { runMake, type MakeResult } from "./make.ts";
import type { Rehearsal } from "./rehearsal.ts";

interface Saved {
    readonly weights: Weights;
    /** Those of the stack's config file, into which a completed switch writes. */
    readonly configured: unknown;
}

/** A step that is not completed before it is rolled back. */
const PLAN =
    "--steps 50,100 --min-step-seconds 300 --bake-seconds 0 --cooldown-seconds 0 --share-requests 400";
const START_SECONDS = 150;
/** Requests of the last seconds decide on whether the candidate still serves. */
const SETTLE_SECONDS = 5;

function activeOf(weights: Weights): Colour {
    return weights.green > weights.blue ? "green" : "blue";
}

/** A release gets half of the traffic and is rolled back by an operator. */
export const rollback: Rehearsal = {
    name: "rollback",
    purpose:
        "A version that receives half of the traffic is rolled back by one command: no request fails, and no alert fires.",
    precondition: "no switch is in progress, and one colour has all of the traffic",
    duration: { whole: 90, quick: 90 },
    alerts: [],
    perSecond: 20,
    inapplicable: async ({ cluster }) => {
        const weights = await readLiveWeights(cluster);
        return Object.values(weights).includes(100)
            ? undefined
            : `the weights are ${weights.blue}/${weights.green}; complete or roll back the release first`;
    },
    run: async (context) => {
        const { cluster, stack, traffic, contextWords, signal } = context;
        const weights = await readLiveWeights(cluster);
        const candidate = otherColour(activeOf(weights));
        const configured = await readStackWeights(stack);
        await context.beginFault({ weights, configured } satisfies Saved);

        const words = [`STACK=${stack}`, ...contextWords];
        const stopped = new AbortController();
        const release = runMake(["switch", `TO=${candidate}`, ...words, `PLAN=${PLAN}`], {
            signal: signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal,
        });
        let early: MakeResult | undefined;
        void release.then(
            (result) => (early = result),
            () => undefined,
        );
        try {
            await context.step(`make switch TO=${candidate}, up to 50 %`, () =>
                context.waitFor(
                    "the candidate serves half of the traffic",
                    async () =>
                        early !== undefined ||
                        ((await readLiveWeights(cluster))[candidate] === 50 &&
                            (await readSwitch(cluster))?.phase === "observe"),
                    START_SECONDS,
                ),
            );
            if (early) throw new UserError(`the switch ended too early:\n${early.output}`);
            const shifted = Date.now();
            await context.waitFor(
                "the candidate answers requests",
                () => traffic.answeredBy(candidate, shifted) >= 20,
                60,
            );
            const request = Date.now();
            const rolledBack = context.make("roll back", ["rollback", ...words]);
            const returned = await context.waitFor(
                "the traffic has returned",
                async () => (await readLiveWeights(cluster))[candidate] === 0,
                90,
            );
            await rolledBack;
            const commandSeconds = (Date.now() - request) / 1000;
            const settled = Date.now();
            await context.waitFor(
                "requests after the rollback",
                () => Date.now() - settled > SETTLE_SECONDS * 1000,
                SETTLE_SECONDS + 5,
            );
            const { exitCode } = await release;
            context.figure(withGoal("time to return the traffic", "s", returned, "<=", 20));
            context.measure("duration of make rollback", "s", commandSeconds);
            context.figure(
                withGoal(
                    "requests at the candidate afterwards",
                    "",
                    traffic.answeredBy(candidate, settled),
                    "==",
                    0,
                ),
            );
            // 2: the switch has ended by a rollback.
            context.figure(withGoal("exit code of make switch", "", exitCode ?? -1, "==", 2));
        } finally {
            stopped.abort();
            await release.catch(() => undefined);
        }
        const ended = Date.now();
        // Without an answer there may be alerts that nobody has seen.
        await context.waitFor("Prometheus answers", () => context.alerts.answeredAt() > ended, 60);
        const fired = context.alerts.records([]).length;
        context.figure(withGoal("alerts", "", fired, "==", 0));
    },
    putBack: async (target, { weights, configured }: Saved) => {
        const { cluster, stack, contextWords } = target;
        const words = [`STACK=${stack}`, ...contextWords];
        if (isUnderWay(await readSwitch(cluster)))
            await target.make("roll back the switch", ["rollback", ...words]);
        const now = await readLiveWeights(cluster);
        if (activeOf(now) !== activeOf(weights))
            await target.make("return the traffic", ["rollback", ...words]);
        await restoreStackWeights(stack, configured);
    },
};
