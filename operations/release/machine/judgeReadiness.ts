import { ReleaseError } from "../error.ts";
import { time } from "../report/text.ts";
import type { Switch } from "../state.ts";
import type { Judge } from "./ports.ts";

/** Some scrapes: who could not judge the last minutes will not be able to judge the next ones. */
const JUDGED_BEFORE_MILLISECONDS = 120_000;

/**
 * Whether the judge has seen both colours. What it finds of a candidate without traffic is nothing.
 *
 * @returns what it waits for, and until when; undefined: it has seen enough
 * @throws ReleaseError when nobody can say when it will have
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
    if (until === undefined) throw new ReleaseError(`there is nobody to judge by: ${why}`);
    return `until ${time(until * 1000)}, when Prometheus has seen enough (${why})`;
}
