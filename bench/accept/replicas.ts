import type { V1Deployment } from "@kubernetes/client-node";
import {
    COLOURS,
    NAMESPACES,
    perColour,
    SERVICE_NAMES,
    type Colour,
    type PerColour,
} from "@property-search/contract";

import { messageOf, type Cluster } from "../../operations/cluster/connect.ts";
import type { Finding } from "./criteria.ts";

/** Pods of a colour over a time. */
export interface ReplicasSeen {
    readonly first: number;
    readonly most: number;
    readonly last: number;
    readonly samples: number;
}

const INTERVAL_MILLISECONDS = 4000;

/** Records how many pods each colour is to have, until it is stopped. */
export function watchReplicas(cluster: Cluster): {
    readonly seen: () => PerColour<ReplicasSeen>;
    readonly errors: () => readonly string[];
    readonly stop: () => void;
} {
    const counts = perColour((): number[] => []);
    const errors: string[] = [];
    const read = async (): Promise<void> => {
        for (const colour of COLOURS) counts[colour].push(await replicasOf(cluster, colour));
    };
    const sample = (): void => {
        read().catch((error: unknown) => errors.push(messageOf(error)));
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
            })),
        errors: () => errors,
        stop: () => clearInterval(timer),
    };
}

async function replicasOf({ objects }: Cluster, colour: Colour): Promise<number> {
    const { spec } = await objects.read<V1Deployment>({
        ...{ apiVersion: "apps/v1", kind: "Deployment" },
        ...{ namespace: NAMESPACES[colour], name: SERVICE_NAMES[colour] },
    });
    return spec?.replicas ?? 1;
}

/** An autoscaler that adds no pod was not needed, or does not work: only a pod that was added shows it. */
export function judgeScaling(seen: PerColour<ReplicasSeen>): Finding {
    const grown = COLOURS.filter((colour) => seen[colour].most > seen[colour].first);
    const words = COLOURS.map((colour) => {
        const { first, most, last } = seen[colour];
        return `${colour} ${first} pods, at most ${most}, ${last} at the end`;
    });
    return {
        measured: words.join("; ") + (grown.length > 0 ? "" : "; the load needed no further pod"),
        workload: "while 1,100 users were there, without a switch",
        verdict: grown.length > 0 ? "met" : "not measured",
    };
}
