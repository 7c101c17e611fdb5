import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { BenchError } from "../../../shared/error.ts";
import type { Contestant } from "../../peers/peer.ts";
import type { Bench } from "../trial.ts";

const ATTACKERS = path.join(import.meta.dirname, "attackers.ts");
/** An attack that has begun is waited for. */
const GRACE_SECONDS = 90;
const POLL_MILLISECONDS = 100;

/** Answers of the attacks by their status, and those with a wrong vector. */
export interface AttackReport {
    readonly byAttack: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly wrongVectors: number;
}

/**
 * Attacks the service from a process of its own, which has the generator's core only while nothing else wants
 * it: the clients whose latency is measured must not wait for their attackers, but for the service alone.
 *
 * @param names of the attacks; none: all of them
 */
export async function attack(
    { ground, cores, signal }: Pick<Bench, "ground" | "cores" | "signal">,
    { url }: Pick<Contestant, "url">,
    seconds: number,
    names: readonly string[] = [],
): Promise<AttackReport> {
    const { processes } = ground;
    const report = path.join(processes.folder, `attacks-${Date.now()}.json`);
    const args = [ATTACKERS, url.href, String(seconds), report, ...names];
    const core = cores.generator;
    const running = processes.start(process.execPath, args, {
        name: "attackers",
        core,
        idle: true,
    });
    const deadline = Date.now() + (seconds + GRACE_SECONDS) * 1_000;
    while (!running.ended() && Date.now() < deadline) {
        await wait(POLL_MILLISECONDS, undefined, { signal });
    }
    try {
        return JSON.parse(readFileSync(report, "utf8")) as AttackReport;
    } catch (error) {
        throw new BenchError(`the attackers did not report:\n${running.said()}`, { cause: error });
    } finally {
        await running.stop();
    }
}
