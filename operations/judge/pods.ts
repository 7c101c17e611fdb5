import { NAMESPACES, type Colour } from "@property-search/contract";
import type { Memory, Pods } from "./observation.ts";
import type { Readings } from "./readings.ts";

/** A pod that is asked for and did not start yet, as when the colour grows, was never ready to be missed. */
export function podsOf(seen: Readings, colour: Colour): Pods | undefined {
    const figure = (name: string) => seen.value(name, { namespace: NAMESPACES[colour] });
    const [ready, wanted] = [figure("ready"), figure("wanted")];
    const [readyMost, readyLately] = [figure("readyMost"), figure("readyLately")];
    const wantedLately = figure("wantedLately");
    if (
        ready === undefined ||
        wanted === undefined ||
        readyMost === undefined ||
        readyLately === undefined ||
        wantedLately === undefined
    ) {
        return undefined;
    }
    // Of a colour that never had one, one is missing.
    const had = Math.max(1, readyMost);
    return {
        ready,
        wanted,
        missing: Math.max(0, Math.min(had, wanted) - ready),
        lost: Math.max(0, Math.min(had, wantedLately) - readyLately),
    };
}

/** @returns undefined where a pod's figure or its limit is not known */
export function memoryOf(seen: Readings, colour: Colour): Memory | undefined {
    const pods = seen.all("memory", { colour }).map(({ labels: { pod = "" }, value }) => {
        const of = { colour, pod };
        const limit = seen.value("memoryLimit", { namespace: NAMESPACES[colour], pod }) ?? NaN;
        const before = seen.value("memoryBefore", of) ?? NaN;
        // A cache that fills up slows down: the lesser pace is what it will keep.
        const pace = Math.min(
            seen.value("memoryPace", of) ?? NaN,
            seen.value("memoryPaceLately", of) ?? NaN,
        );
        return {
            share: value / limit,
            gained: Math.max(0, (value - before) / limit),
            secondsToLimit: pace > 0 ? Math.max(0, (limit - value) / pace) : Infinity,
        };
    });
    const share = Math.max(...pods.map((pod) => pod.share));
    if (pods.length === 0 || Number.isNaN(share)) return undefined;
    // One that is not there for as long yet has no `gained`.
    const growing = pods
        .filter(({ gained, secondsToLimit }) => gained > 0 && Number.isFinite(secondsToLimit))
        .sort((a, b) => a.secondsToLimit - b.secondsToLimit)[0];
    return {
        share,
        growth: growing && { gained: growing.gained, secondsToLimit: growing.secondsToLimit },
    };
}
