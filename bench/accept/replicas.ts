import {
    COLOURS,
    NAMESPACES,
    perColour,
    SERVICE_NAMES,
    type Colour,
    type PerColour,
} from "@property-search/contract";

import type { Cluster, Manifest } from "../../operations/cluster/connect.ts";

/** Pods of a colour over a time. */
export interface ReplicasSeen {
    /** Pods that the colour was to have at first. */
    readonly first: number;
    /** Most pods that it was to have, and most that were ready. */
    readonly most: number;
    readonly mostReady: number;
    readonly samples: number;
    /** Seconds until more were ready than it was to have at first; undefined: there never were. */
    readonly grownAfter: number | undefined;
    /** Seconds until the last sample; undefined: none could be read. */
    readonly lastAfter: number | undefined;
}

const INTERVAL_MILLISECONDS = 2000;

/**
 * Records how many pods each colour is to have and has ready, until it is stopped.
 *
 * @param intervalMilliseconds between samples. Default: 2 s
 */
export function watchReplicas(
    cluster: Cluster,
    intervalMilliseconds = INTERVAL_MILLISECONDS,
): {
    readonly seen: () => PerColour<ReplicasSeen>;
    readonly stop: () => void;
} {
    const counts = perColour((): Replicas[] => []);
    const grownAt: Partial<Record<Colour, number>> = {};
    const lastAt: Partial<Record<Colour, number>> = {};
    const begun = performance.now();
    const read = async (): Promise<void> => {
        for (const colour of COLOURS) {
            const count = await replicasOf(cluster, colour);
            counts[colour].push(count);
            lastAt[colour] = (performance.now() - begun) / 1000;
            if (count.ready > (counts[colour][0]?.wanted ?? Infinity))
                grownAt[colour] ??= lastAt[colour];
        }
    };
    const sample = (): void => {
        // A read that fails is one sample less.
        read().catch(() => undefined);
    };
    sample();
    const timer = setInterval(sample, intervalMilliseconds);
    return {
        seen: () =>
            perColour((colour) => ({
                first: counts[colour][0]?.wanted ?? NaN,
                most: Math.max(0, ...counts[colour].map(({ wanted }) => wanted)),
                mostReady: Math.max(0, ...counts[colour].map(({ ready }) => ready)),
                samples: counts[colour].length,
                grownAfter: grownAt[colour],
                lastAfter: lastAt[colour],
            })),
        stop: () => clearInterval(timer),
    };
}

interface Deployment extends Manifest {
    readonly spec?: { readonly replicas?: number };
    readonly status?: { readonly readyReplicas?: number };
}

export interface Replicas {
    readonly wanted: number;
    readonly ready: number;
}

export async function replicasOf({ objects }: Cluster, colour: Colour): Promise<Replicas> {
    const { spec, status } = await objects.read<Deployment>({
        ...{ apiVersion: "apps/v1", kind: "Deployment" },
        ...{ namespace: NAMESPACES[colour], name: SERVICE_NAMES[colour] },
    });
    return { wanted: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0 };
}
