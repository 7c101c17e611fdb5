import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { BenchError } from "../../../shared/benchError.ts";
import type { Target } from "../../peers/peer.ts";
import type { BenchmarkContext } from "../benchmark.ts";

const ATTACKERS = path.join(import.meta.dirname, "attackers.ts");
/** Time for attacks that are still running at the end. */
const GRACE_SECONDS = 90;
const POLL_MILLISECONDS = 100;

/** Answers by attack and status, and the number of wrong vectors. */
export interface AttackReport {
    readonly byAttack: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly wrongVectors: number;
}

/**
 * Attacks the service from a separate process at idle priority on the generator's core, so that the measured
 * clients never wait for the attackers.
 *
 * @param names of `ATTACKS`, or `HARMLESS`
 */
export async function attack(
    { resources, cores, signal }: Pick<BenchmarkContext, "resources" | "cores" | "signal">,
    { url }: Pick<Target, "url">,
    seconds: number,
    names: readonly string[],
): Promise<AttackReport> {
    const { processes } = resources;
    const report = path.join(processes.folder, `attacks-${Date.now()}.json`);
    const args = [ATTACKERS, url.href, String(seconds), report, ...names];
    const core = cores.generator;
    const running = processes.start(process.execPath, args, {
        name: "attackers",
        core,
        idle: true,
    });
    const deadline = Date.now() + (seconds + GRACE_SECONDS) * 1_000;
    while (!running.hasEnded() && Date.now() < deadline) {
        await wait(POLL_MILLISECONDS, undefined, { signal });
    }
    try {
        return JSON.parse(readFileSync(report, "utf8")) as AttackReport;
    } catch (error) {
        throw new BenchError(`the attackers did not report:\n${running.output()}`, {
            cause: error,
        });
    } finally {
        await running.stop();
    }
}
