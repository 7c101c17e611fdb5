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
    readonly first: number;
    readonly most: number;
    readonly last: number;
    readonly samples: number;
    /** Seconds until there were more than at first; undefined: there never were. */
    readonly grownAfter: number | undefined;
}

const INTERVAL_MILLISECONDS = 2000;

/** Records how many pods each colour is to have, until it is stopped. */
export function watchReplicas(cluster: Cluster): {
    readonly seen: () => PerColour<ReplicasSeen>;
    readonly stop: () => void;
} {
    const counts = perColour((): number[] => []);
    const grownAt: Partial<Record<Colour, number>> = {};
    const begun = performance.now();
    const read = async (): Promise<void> => {
        for (const colour of COLOURS) {
            const count = await replicasOf(cluster, colour);
            counts[colour].push(count);
            if (count > (counts[colour][0] ?? count))
                grownAt[colour] ??= (performance.now() - begun) / 1000;
        }
    };
    const sample = (): void => {
        // A read that fails is one sample less.
        read().catch(() => undefined);
    };
    sample();
    const timer = setInterval(sample, INTERVAL_MILLISECONDS);
    return {
        seen: () =>
            perColour((colour) => ({
                first: counts[colour][0] ?? NaN,
                most: Math.max(0, ...counts[colour]),
                last: counts[colour].at(-1) ?? NaN,
                samples: counts[colour].length,
                grownAfter: grownAt[colour],
            })),
        stop: () => clearInterval(timer),
    };
}

interface Deployment extends Manifest {
    readonly spec?: { readonly replicas?: number };
}

async function replicasOf({ objects }: Cluster, colour: Colour): Promise<number> {
    const { spec } = await objects.read<Deployment>({
        ...{ apiVersion: "apps/v1", kind: "Deployment" },
        ...{ namespace: NAMESPACES[colour], name: SERVICE_NAMES[colour] },
    });
    return spec?.replicas ?? 1;
}
