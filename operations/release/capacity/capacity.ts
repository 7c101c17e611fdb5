import {
    LABELS,
    NAMESPACES,
    SERVICE_NAMES,
    type Colour,
    type PerColour,
} from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import type { Api } from "../api.ts";
import { ReleaseError } from "../error.ts";
import { readBounds, restoreFloor, raiseFloor, type Bounds } from "./floors.ts";

/** Pods of a colour, as reported by its Deployment. */
export interface Pods {
    readonly desired: number;
    readonly ready: number;
    /** Whether all pods run the current template of the Deployment. */
    readonly isRolledOut: boolean;
    readonly version: string;
    readonly image: string;
}

export interface Capacity {
    readonly pods: (colour: Colour) => Promise<Pods>;
    readonly bounds: (colour: Colour) => Promise<Bounds>;
    readonly raiseFloor: (colour: Colour, floor: number, fence: number) => Promise<void>;
    readonly restoreFloor: (colour: Colour, fence: number) => Promise<void>;
}

/** Factor of spare capacity: without it, pods of a share would run at their limit. */
const HEADROOM = 1.2;

/** Pods that a colour needs for a weight, if `ready` pods of the other colour serve all traffic now. */
export function floorFor(weight: number, ready: number, { originalFloor, limit }: Bounds): number {
    return Math.min(limit, Math.max(originalFloor, Math.ceil((ready * weight * HEADROOM) / 100)));
}

interface Deployment extends Manifest {
    spec?: {
        replicas?: number;
        template?: {
            metadata?: { labels?: Readonly<Record<string, string>> };
            spec?: { containers?: readonly { image?: string }[] };
        };
    };
    status?: {
        observedGeneration?: number;
        replicas?: number;
        readyReplicas?: number;
        updatedReplicas?: number;
    };
}

export function clusterCapacity(api: Api): Capacity {
    return {
        pods: async (colour) => {
            const [namespace, name] = [NAMESPACES[colour], SERVICE_NAMES[colour]];
            const found = await api.read<Deployment>({
                apiVersion: "apps/v1",
                kind: "Deployment",
                namespace,
                name,
            });
            if (!found) {
                throw new ReleaseError(
                    `Deployment ${namespace}/${name} does not exist: deploy the stack first`,
                );
            }
            return parsePods(found);
        },
        bounds: (colour) => readBounds(api, colour),
        raiseFloor: (colour, floor, fence) => raiseFloor(api, colour, floor, fence),
        restoreFloor: (colour, fence) => restoreFloor(api, colour, fence),
    };
}

export async function readPods({ pods }: Pick<Capacity, "pods">): Promise<PerColour<Pods>> {
    const [blue, green] = await Promise.all([pods("blue"), pods("green")]);
    return { blue, green };
}

function parsePods({ metadata, spec, status }: Deployment): Pods {
    const wanted = spec?.replicas ?? 1;
    const template = spec?.template;
    return {
        desired: wanted,
        ready: status?.readyReplicas ?? 0,
        isRolledOut:
            status?.observedGeneration === metadata.generation &&
            status?.updatedReplicas === wanted &&
            status.replicas === wanted,
        version: template?.metadata?.labels?.[LABELS.version] ?? "",
        image: template?.spec?.containers?.[0]?.image ?? "",
    };
}
