import { COLOURS, type Weights } from "@property-search/contract";
import { isDeepStrictEqual } from "node:util";
import {
    ClusterError,
    headerOf,
    readIfExists,
    referenceOf,
    statusOf,
    type Cluster,
    type Manifest,
    type ObjectReference,
} from "../../cluster/connect.ts";
import { isOwnedByDriver, withoutDriverSpec } from "../../cluster/fieldOwnership.ts";
import { isUnderWay, readSwitch, type RecordedSwitch } from "../../shared/releaseRecord.ts";
import {
    isRoute,
    ROUTE,
    routeWeights,
    formatWeights,
    withWeights,
    type Route,
} from "../../shared/route.ts";
import { isColourAutoscaler, autoscalersOf, withFloor } from "../../shared/autoscalers.ts";

export interface CoexistOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    /** Namespace of the edge, which holds the release record. Default: the platform's */
    readonly namespace?: string | undefined;
    readonly report: (line: string) => void;
}

/** Whether the stack and the release driver both write an object. */
export function isSharedWithRelease(manifest: Manifest): boolean {
    return isRoute(manifest) || isColourAutoscaler(manifest);
}

/** Returns the manifest to apply for an object that both write, given the live object. */
export type ReleaseAwareManifest = (manifest: Manifest, live: Manifest) => Promise<Manifest>;

/** Each status update, of an autoscaler or by a gateway, is a new version of the object. */
const MAX_ATTEMPTS = 5;

/**
 * Makes a deploy by apply coexist with the release driver. During a switch, weights and floors keep their live values; any
 * other change of the driver's fields is a conflict. Otherwise the manifest applies, and the driver's ownership of the
 * object ends.
 *
 * @throws ClusterError if a release has set other weights than the stack's config
 */
export function releaseAwareApply({
    cluster,
    stack,
    namespace,
    report,
}: CoexistOptions): ReleaseAwareManifest {
    const reported = new Set<string>();
    return async (manifest, live) => {
        const lastSwitch = await readSwitch(cluster, namespace);
        if (!isUnderWay(lastSwitch)) {
            const wanted = isRoute(manifest) ? routeWeights(manifest) : undefined;
            await reclaimObject(cluster, referenceOf(manifest), lastSwitch, stack, wanted);
            return manifest;
        }
        const [resolved, kept] = overlayLiveFields(manifest, live);
        const line = `a switch to ${lastSwitch.to} is in progress: ${kept}`;
        if (!reported.has(line) && !isDeepStrictEqual(resolved, manifest)) report(line);
        reported.add(line);
        return resolved;
    };
}

/**
 * Prepares the objects that both write for an update by Pulumi.
 *
 * @param configured weights of the stack's config
 * @returns whether a switch is in progress: the update must then exclude these objects
 * @throws ClusterError if a release has set other weights than the stack's config
 */
export async function reclaimFromRelease(
    { cluster, stack, namespace, report }: CoexistOptions,
    configured: Weights,
): Promise<boolean> {
    const lastSwitch = await readSwitch(cluster, namespace);
    if (isUnderWay(lastSwitch)) {
        const route = await readIfExists<Route>(cluster, ROUTE);
        const stay = route ? `: weights stay ${formatWeights(routeWeights(route))}` : "";
        report(`a switch to ${lastSwitch.to} is in progress${stay}`);
        return true;
    }
    await reclaimObject(cluster, ROUTE, lastSwitch, stack, configured);
    for (const scaler of COLOURS.flatMap(autoscalersOf))
        await reclaimObject(cluster, scaler, lastSwitch, stack);
    return false;
}

/** Ends the driver's ownership of an object, unless it has set other weights than `wanted`. */
async function reclaimObject(
    cluster: Cluster,
    reference: ObjectReference,
    lastSwitch: RecordedSwitch | undefined,
    stack: string,
    wanted?: Weights,
): Promise<void> {
    for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
        const live = await readIfExists<Manifest>(cluster, reference);
        if (!live || !isOwnedByDriver(live)) return;
        if (wanted)
            assertWeightsAgree({
                stack,
                lastSwitch,
                configured: wanted,
                live: routeWeights(live),
            });
        if (await removeDriverOwnership(cluster, live)) return;
    }
}

/**
 * Ends the driver's ownership of an object's spec; the driver keeps its annotations.
 *
 * @returns false if the object has changed since it was read
 */
async function removeDriverOwnership(cluster: Cluster, object: Manifest): Promise<boolean> {
    const { resourceVersion = "" } = object.metadata;
    const header = headerOf(referenceOf(object));
    const managedFields = withoutDriverSpec(object);
    const metadata = { ...header.metadata, resourceVersion, managedFields };
    try {
        await cluster.objects.merge({ ...header, metadata });
        return true;
    } catch (error) {
        if (statusOf(error) === 409) return false;
        throw error;
    }
}

interface WeightComparison {
    readonly stack: string;
    readonly lastSwitch: RecordedSwitch | undefined;
    /** Weights of the stack's config. */
    readonly configured: Weights;
    /** Weights that a release has set. */
    readonly live: Weights;
}

/** @throws ClusterError if the weights differ: the deploy would shift traffic without a request */
function assertWeightsAgree({ stack, lastSwitch, configured, live }: WeightComparison): void {
    if (configured.blue === live.blue) return;
    const since = lastSwitch && new Date(lastSwitch.phaseSince).toISOString();
    const who = lastSwitch
        ? ` ${lastSwitch.id} of ${lastSwitch.actor} (${lastSwitch.phase} since ${since})`
        : "";
    throw new ClusterError(
        `traffic.weights of stack ${stack} is ${formatWeights(configured)}, but the release${who} has set ` +
            `${formatWeights(live)} (blue/green), which a deploy does not undo. Set property-search:` +
            `traffic.weights to { blue: ${live.blue}, green: ${live.green} } in Pulumi.${stack}.yaml and ` +
            "deploy again; use make switch to shift traffic.",
    );
}

/** Returns the manifest with the live weights or floor, as applied during a switch. */
export function withLiveFields(manifest: Manifest, live: Manifest): Manifest {
    return overlayLiveFields(manifest, live)[0];
}

function overlayLiveFields(
    manifest: Manifest,
    live: Manifest,
): [overlaid: Manifest, description: string] {
    if (isRoute(manifest)) {
        const weights = routeWeights(live);
        return [withWeights(manifest, weights), `weights stay ${formatWeights(weights)}`];
    }
    return withFloor(manifest, live);
}
