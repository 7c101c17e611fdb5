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
    /** Of the edge, where the driver keeps its record. Default: the platform's. */
    readonly namespace?: string | undefined;
    readonly report: (line: string) => void;
}

/** Whether the stack and the release driver both write an object. */
export function isShared(manifest: Manifest): boolean {
    return isRoute(manifest) || isScaler(manifest);
}

/** What to apply of an object that both write, given it as it is on the cluster. */
export type Beside = (manifest: Manifest, live: Manifest) => Promise<Manifest>;

/** An autoscaler's status, and a gateway's on the route, make a new version of the object each time. */
const TRIES = 5;

/**
 * How a deploy that applies gets along with the release driver. While a switch is under way, weights and
 * floors stay as the cluster has them; any other change of a field that the driver owns is left to
 * conflict. Afterwards the manifest holds, and the driver's claim on the object ends.
 *
 * @throws ClusterError when a release has set other weights than the stack's config has.
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
        const line = `a switch to ${note.to} is under way: ${what}`;
        if (!told.has(line) && !isDeepStrictEqual(held, manifest)) report(line);
        told.add(line);
        return held;
    };
}

/**
 * Looks at what both write before an update that does not look at each object itself.
 *
 * @param configured weights of the stack's config.
 * @returns whether a switch is under way: then the update has to leave the objects alone that both write.
 * @throws ClusterError when a release has set other weights than the stack's config has.
 */
export async function settleAll(
    { cluster, stack, namespace, report }: BesideOptions,
    configured: Weights,
): Promise<boolean> {
    const note = await readSwitch(cluster, namespace);
    if (isUnderWay(note)) {
        const route = await readIfExists<Route>(cluster, ROUTE);
        const stay = route ? `: weights stay ${weightsText(routeWeights(route))}` : "";
        report(`a switch to ${note.to} is under way${stay}`);
        return true;
    }
    await settle(cluster, ROUTE, note, stack, configured);
    for (const scaler of COLOURS.flatMap(scalersOf)) await settle(cluster, scaler, note, stack);
    return false;
}

/** Ends the driver's claim on an object, unless it has set other weights than are wanted now. */
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
 * Ends the driver's claim on an object's spec; its annotations stay its own.
 *
 * @returns whether that is done; false: the object has changed since it was read.
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

/** @throws ClusterError when the weights differ: the traffic would move without anybody having asked for it. */
function refuseOthers({ stack, note, wanted, live }: Disagreement): void {
    if (wanted.blue === live.blue) return;
    const since = note && new Date(note.phaseSince).toISOString();
    const who = note ? ` ${note.id} of ${note.actor} (${note.phase} since ${since})` : "";
    throw new ClusterError(
        `traffic.weights of stack ${stack} is ${weightsText(wanted)}, but the release${who} has set ` +
            `${weightsText(live)} (blue/green), which a deploy does not undo. Set property-search:` +
            `traffic.weights to { blue: ${live.blue}, green: ${live.green} } in Pulumi.${stack}.yaml and ` +
            "deploy again; to move the traffic use make switch.",
    );
}

/** An object as a switch under way leaves it: with the weights, or the floor, of the live one. */
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
