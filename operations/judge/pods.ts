import { NAMESPACES, type Colour } from "@property-search/contract";
import type { Memory, Pods } from "./observation.ts";
import type { Readings } from "./readings.ts";

/** A pod that has not started yet, as when the colour scales up, is not missing. */
export function readPods(readings: Readings, colour: Colour): Pods | undefined {
    const figure = (name: string) => readings.value(name, { namespace: NAMESPACES[colour] });
    const [ready, wanted] = [figure("ready"), figure("desired")];
    const [readyMost, readyLately] = [figure("readyMost"), figure("readyLately")];
    const wantedLately = figure("desiredLately");
    if (
        ready === undefined ||
        wanted === undefined ||
        readyMost === undefined ||
        readyLately === undefined ||
        wantedLately === undefined
    ) {
        return undefined;
    }
    // A colour that never had a pod misses one.
    const had = Math.max(1, readyMost);
    return {
        ready,
        desired: wanted,
        missing: Math.max(0, Math.min(had, wanted) - ready),
        lost: Math.max(0, Math.min(had, wantedLately) - readyLately),
    };
}

/** @returns undefined if the usage or the limit of a pod is unknown */
export function readMemory(readings: Readings, colour: Colour): Memory | undefined {
    const pods = readings.select("memory", { colour }).map(({ labels: { pod = "" }, value }) => {
        const of = { colour, pod };
        const limit = readings.value("memoryLimit", { namespace: NAMESPACES[colour], pod }) ?? NaN;
        const before = readings.value("memoryBefore", of) ?? NaN;
        // A cache that fills up slows down, so the lower rate is the better estimate.
        const pace = Math.min(
            readings.value("memoryPace", of) ?? NaN,
            readings.value("memoryPaceLately", of) ?? NaN,
        );
        return {
            share: value / limit,
            gained: Math.max(0, (value - before) / limit),
            secondsToLimit: pace > 0 ? Math.max(0, (limit - value) / pace) : Infinity,
        };
    });
    const share = Math.max(...pods.map((pod) => pod.share));
    if (pods.length === 0 || Number.isNaN(share)) return undefined;
    // A younger pod has no `gained`.
    const growing = pods
        .filter(({ gained, secondsToLimit }) => gained > 0 && Number.isFinite(secondsToLimit))
        .sort((a, b) => a.secondsToLimit - b.secondsToLimit)[0];
    return {
        share,
        growth: growing && { gained: growing.gained, secondsToLimit: growing.secondsToLimit },
    };
}
