import {
    NAMESPACES,
    RELEASE,
    RELEASE_ANNOTATIONS,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import { retryOnConflict, type Api } from "../api.ts";
import { autoscalersOf, type AutoscalerKind } from "../../shared/autoscalers.ts";
import { ReleaseError } from "../error.ts";
import { assertNotSuperseded } from "../fence.ts";
import { transferOwnership, ownersOf } from "../../cluster/fieldOwnership.ts";

/** Keeps KEDA from removing pods, whatever its triggers report. */
const PAUSED_SCALE_IN = "autoscaling.keda.sh/paused-scale-in";

interface Autoscaler extends Manifest {
    spec?: Readonly<Record<string, unknown>>;
}

export interface Bounds {
    readonly limit: number;
    /** Floor before the driver raised it. */
    readonly originalFloor: number;
}

/** @throws ReleaseError if the colour has no autoscaler */
export async function readBounds(api: Api, colour: Colour): Promise<Bounds> {
    const { object, kind } = await findAutoscaler(api, colour);
    const floor = Number(object.spec?.[kind.floor] ?? 0);
    const limit = Number(object.spec?.[kind.limit] ?? 0);
    const before = Number(object.metadata.annotations?.[RELEASE_ANNOTATIONS.floorBefore] ?? floor);
    return { limit, originalFloor: before };
}

/** Raises a floor and never lowers it; the colour does not scale in below it. */
export async function raiseFloor(
    api: Api,
    colour: Colour,
    minimum: number,
    fence: number,
): Promise<void> {
    await retryOnConflict(async () => {
        const { object, kind } = await findAutoscaler(api, colour);
        assertNotSuperseded(object, fence);
        const before = object.metadata.annotations?.[RELEASE_ANNOTATIONS.floorBefore];
        const now = Number(object.spec?.[kind.floor] ?? 0);
        const floor = Math.max(now, minimum);
        await api.apply<Autoscaler>({
            ...identity(object, kind),
            metadata: {
                ...identity(object, kind).metadata,
                annotations: {
                    [RELEASE_ANNOTATIONS.floorBefore]: before ?? String(now),
                    [RELEASE_ANNOTATIONS.fence]: String(fence),
                    ...(kind.kind === "ScaledObject" && { [PAUSED_SCALE_IN]: "true" }),
                },
            },
            spec: { [kind.floor]: floor },
        });
    });
}

/**
 * Restores a floor and returns it to its owner. It takes two writes; the second can be repeated if the driver is killed
 * between them.
 */
export async function restoreFloor(api: Api, colour: Colour, fence: number): Promise<void> {
    await retryOnConflict(async () => {
        const { object, kind } = await findAutoscaler(api, colour);
        assertNotSuperseded(object, fence);
        const path = ["spec", kind.floor];
        if (!ownersOf(object, path).includes(RELEASE.fieldManager)) return;
        const before = object.metadata.annotations?.[RELEASE_ANNOTATIONS.floorBefore];
        const restored =
            before === undefined
                ? object
                : await api.apply<Autoscaler>({
                      ...identity(object, kind),
                      spec: { [kind.floor]: Number(before) },
                  });
        await api.replace(transferOwnership(restored, path, ["spec", kind.limit]));
    });
}

async function findAutoscaler(
    api: Api,
    colour: Colour,
): Promise<{ readonly object: Autoscaler; readonly kind: AutoscalerKind }> {
    for (const kind of autoscalersOf(colour)) {
        const object = await api.read<Autoscaler>(kind);
        if (object) return { object, kind };
    }
    const [namespace, name] = [NAMESPACES[colour], SERVICE_NAMES[colour]];
    throw new ReleaseError(
        `neither a ScaledObject nor a HorizontalPodAutoscaler ${namespace}/${name} exists: deploy the stack first`,
    );
}

function identity(object: Autoscaler, { apiVersion, kind }: AutoscalerKind) {
    const { name, namespace = "", resourceVersion = "" } = object.metadata;
    return { apiVersion, kind, metadata: { name, namespace, resourceVersion } };
}
