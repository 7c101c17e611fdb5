import { ReleaseError } from "../error.ts";
import { formatTime } from "../report/text.ts";
import type { Switch } from "../state.ts";
import type { Judge } from "./ports.ts";

/** Some scrapes: a judge without data for the last minutes will have none for the next ones. */
const LOOKBACK_MILLISECONDS = 120_000;

/**
 * Checks that the judge has data of both colours. A candidate without traffic needs no verdict.
 *
 * @returns the reason to wait, with its end; undefined if the judge is ready
 * @throws ReleaseError if it is unknown when the judge will be ready
 */
export async function judgeReadiness(
    { to: candidate, from: active, plan }: Switch,
    judge: Judge,
    now: number,
): Promise<string | undefined> {
    const since = now - LOOKBACK_MILLISECONDS;
    const { verdict, figures, reasons, readyAt } = await judge.analyze({
        candidate,
        active,
        since,
        plan,
    });
    if (verdict !== "inconclusive" || figures !== undefined) return undefined;
    const why = reasons.join("; ");
    if (readyAt === undefined) throw new ReleaseError(`the judge has no data: ${why}`);
    return `until ${formatTime(readyAt * 1000)}, when Prometheus has enough data (${why})`;
}
