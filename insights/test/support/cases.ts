import { seededRandom, type Random } from "../../../bench/shared/random.ts";
import type { Window } from "../../src/prometheus/client.ts";
import { simulate, type CountedEvent, type Faults, type SimulatedProcess } from "./simulation.ts";

export const HOUR = 3600;
/** Length of a case, unless it sets another one. */
export const CASE_SECONDS = 6 * HOUR;
/** End of a process that runs on after the window. */
export const END = CASE_SECONDS + HOUR;

export interface Case {
    readonly window: Window;
    readonly events: readonly CountedEvent[];
}

/** Times are relative to the window of its case. Default: version v1.0.0 in blue */
export type CaseProcess = Omit<SimulatedProcess, "colour" | "version"> & Partial<SimulatedProcess>;

/** A process that ran long before the window and runs on. Its counters are not 0 at the window's begin. */
export const old = (pod: string) => ({ pod, startedAt: -HOUR, endsAt: END });

/** Cases of one Prometheus, hours apart, so that no sample of a case is within another one's window or its lead. */
export function createCases(seed: number, first: string) {
    const random = seededRandom(seed);
    /** OpenMetrics by case: promtool reads a part once for every two hours that it spans. */
    const history: string[][] = [];
    let next = Date.parse(first) / 1000;

    function add(
        processes: readonly CaseProcess[],
        faults: Faults = {},
        seconds = CASE_SECONDS,
    ): Case {
        const from = next + 2 * HOUR;
        next = from + seconds + 2 * HOUR;
        const { lines, events } = simulate(
            random,
            processes.map((one) => ({
                ...{ colour: "blue", version: "v1.0.0" },
                ...one,
                startedAt: from + one.startedAt,
                endsAt: from + one.endsAt,
                ...(one.resetsAt !== undefined && { resetsAt: from + one.resetsAt }),
            })),
            {
                isUp: (time) => faults.isUp?.(time - from) ?? true,
                answers: (pod, time) => faults.answers?.(pod, time - from) ?? true,
            },
        );
        history.push([...lines]);
        return { window: { from, to: from + seconds }, events };
    }

    /** Adds two random outages, of Prometheus or of the pod `b`, and pods that restart. */
    function addRandom(processesOf: (random: Random) => readonly CaseProcess[]): Case {
        const processes = processesOf(random);
        const outages = Array.from({ length: 2 }, () => {
            const from = random() * CASE_SECONDS;
            return { pod: random() < 0.5 ? undefined : "b", from, to: from + random() * HOUR };
        });
        const isWithin = (time: number, pod: string | undefined) =>
            outages.some((one) => one.pod === pod && time > one.from && time < one.to);
        return add(processes, {
            isUp: (time) => !isWithin(time, undefined),
            answers: (pod, time) => !isWithin(time, pod),
        });
    }

    return {
        add,
        addRandom,
        /** OpenMetrics of all cases that have any. */
        parts: () => history.filter((lines) => lines.length > 0),
    };
}
