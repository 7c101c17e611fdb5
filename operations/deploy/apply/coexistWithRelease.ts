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
import { isClaimed, withoutDriversSpec } from "../../cluster/fieldOwnership.ts";
import { isUnderWay, readSwitch, type RecordedSwitch } from "../../shared/releaseRecord.ts";
import {
    isRoute,
    ROUTE,
    routeWeights,
    weightsText,
    withWeights,
    type Route,
} from "../../shared/route.ts";
import { isScaler, scalersOf, withFloor } from "../../shared/autoscalers.ts";

export interface BesideOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    /** Namespace of the edge, which holds the release record. Default: the platform's */
    readonly namespace?: string | undefined;
    readonly report: (line: string) => void;
}

/** Whether the stack and the release driver both write an object. */
export function isShared(manifest: Manifest): boolean {
    return isRoute(manifest) || isScaler(manifest);
}

/** Returns the manifest to apply for an object that both write, given the live object. */
export type Beside = (manifest: Manifest, live: Manifest) => Promise<Manifest>;

/** Each status update, of an autoscaler or by a gateway, is a new version of the object. */
const TRIES = 5;

/**
 * Makes a deploy by apply coexist with the release driver. During a switch, weights and floors keep their live values; any
 * other change of the driver's fields is a conflict. Otherwise the manifest applies, and the driver's ownership of the
 * object ends.
 *
 * @throws ClusterError if a release has set other weights than the stack's config
 */
export function besideRelease({ cluster, stack, namespace, report }: BesideOptions): Beside {
    const told = new Set<string>();
    return async (manifest, live) => {
        const note = await readSwitch(cluster, namespace);
        if (!isUnderWay(note)) {
            const wanted = isRoute(manifest) ? routeWeights(manifest) : undefined;
            await settle(cluster, referenceOf(manifest), note, stack, wanted);
            return manifest;
        }
        const [held, what] = asLive(manifest, live);
        const line = `a switch to ${note.to} is in progress: ${what}`;
        if (!told.has(line) && !isDeepStrictEqual(held, manifest)) report(line);
        told.add(line);
        return held;
    };
}

/**
 * Prepares the objects that both write for an update by Pulumi.
 *
 * @param configured weights of the stack's config
 * @returns whether a switch is in progress: the update must then exclude these objects
 * @throws ClusterError if a release has set other weights than the stack's config
 */
export async function settleAll(
    { cluster, stack, namespace, report }: BesideOptions,
    configured: Weights,
): Promise<boolean> {
    const note = await readSwitch(cluster, namespace);
    if (isUnderWay(note)) {
        const route = await readIfExists<Route>(cluster, ROUTE);
        const stay = route ? `: weights stay ${weightsText(routeWeights(route))}` : "";
        report(`a switch to ${note.to} is in progress${stay}`);
        return true;
    }
    await settle(cluster, ROUTE, note, stack, configured);
    for (const scaler of COLOURS.flatMap(scalersOf)) await settle(cluster, scaler, note, stack);
    return false;
}

/** Ends the driver's ownership of an object, unless it has set other weights than `wanted`. */
async function settle(
    cluster: Cluster,
    reference: ObjectReference,
    note: RecordedSwitch | undefined,
    stack: string,
    wanted?: Weights,
): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
        const live = await readIfExists<Manifest>(cluster, reference);
        if (!live || !isClaimed(live)) return;
        if (wanted) refuseOthers({ stack, note, wanted, live: routeWeights(live) });
        if (await endClaim(cluster, live)) return;
    }
}

/**
 * Ends the driver's ownership of an object's spec; the driver keeps its annotations.
 *
 * @returns false if the object has changed since it was read
 */
async function endClaim(cluster: Cluster, object: Manifest): Promise<boolean> {
    const { resourceVersion = "" } = object.metadata;
    const header = headerOf(referenceOf(object));
    const managedFields = withoutDriversSpec(object);
    const metadata = { ...header.metadata, resourceVersion, managedFields };
    try {
        await cluster.objects.merge({ ...header, metadata });
        return true;
    } catch (error) {
        if (statusOf(error) === 409) return false;
        throw error;
    }
}

interface Disagreement {
    readonly stack: string;
    readonly note: RecordedSwitch | undefined;
    /** Weights of the stack's config. */
    readonly wanted: Weights;
    /** Weights that a release has set. */
    readonly live: Weights;
}

/** @throws ClusterError if the weights differ: the deploy would shift traffic without a request */
function refuseOthers({ stack, note, wanted, live }: Disagreement): void {
    if (wanted.blue === live.blue) return;
    const since = note && new Date(note.phaseSince).toISOString();
    const who = note ? ` ${note.id} of ${note.actor} (${note.phase} since ${since})` : "";
    throw new ClusterError(
        `traffic.weights of stack ${stack} is ${weightsText(wanted)}, but the release${who} has set ` +
            `${weightsText(live)} (blue/green), which a deploy does not undo. Set property-search:` +
            `traffic.weights to { blue: ${live.blue}, green: ${live.green} } in Pulumi.${stack}.yaml and ` +
            "deploy again; use make switch to shift traffic.",
    );
}

/** Returns the manifest with the live weights or floor, as applied during a switch. */
export function heldByRelease(manifest: Manifest, live: Manifest): Manifest {
    return asLive(manifest, live)[0];
}

function asLive(manifest: Manifest, live: Manifest): [held: Manifest, what: string] {
    if (isRoute(manifest)) {
        const weights = routeWeights(live);
        return [withWeights(manifest, weights), `weights stay ${weightsText(weights)}`];
    }
    return withFloor(manifest, live);
}
