import { ReleaseError } from "../error.ts";
import { time } from "../report/text.ts";
import type { Switch } from "../state.ts";
import type { Judge } from "./ports.ts";

/** Some scrapes: a judge without data for the last minutes will have none for the next ones. */
const JUDGED_BEFORE_MILLISECONDS = 120_000;

/**
 * Checks that the judge has data of both colours. A candidate without traffic needs no verdict.
 *
 * @returns the reason to wait, with its end; undefined if the judge is ready
 * @throws ReleaseError if it is unknown when the judge will be ready
 */
export async function unseen(
    { to: candidate, from: active, plan }: Switch,
    judge: Judge,
    now: number,
): Promise<string | undefined> {
    const since = now - JUDGED_BEFORE_MILLISECONDS;
    const { verdict, figures, reasons, until } = await judge.look({
        candidate,
        active,
        since,
        plan,
    });
    if (verdict !== "no data" || figures !== undefined) return undefined;
    const why = reasons.join("; ");
    if (until === undefined) throw new ReleaseError(`the judge has no data: ${why}`);
    return `until ${time(until * 1000)}, when Prometheus has enough data (${why})`;
}
