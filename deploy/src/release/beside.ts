import type { Weights } from "@property-search/contract";
import { isDeepStrictEqual } from "node:util";
import {
    readIfExists,
    referenceOf,
    type Cluster,
    type Manifest,
    type ObjectReference,
} from "../apply/cluster.ts";
import { endClaim, isClaimed } from "./claim.ts";
import { isUnderWay, readSwitch, refuseOthers, type SwitchNote } from "./note.ts";
import { routeWeights, weightsText, withWeights } from "./route.ts";
import { isRoute, ROUTE, SCALERS, withFloor } from "./shared.ts";

export interface BesideOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    /** Of the edge, where the driver keeps its record. Default: the platform's. */
    readonly namespace?: string | undefined;
    readonly report: (line: string) => void;
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
        const route = await readIfExists(cluster, ROUTE);
        const stay = route ? `: weights stay ${weightsText(routeWeights(route))}` : "";
        report(`a switch to ${note.to} is under way${stay}`);
        return true;
    }
    await settle(cluster, ROUTE, note, stack, configured);
    for (const scaler of SCALERS) await settle(cluster, scaler, note, stack);
    return false;
}

/** Ends the driver's claim on an object, unless it has set other weights than are wanted now. */
async function settle(
    cluster: Cluster,
    reference: ObjectReference,
    note: SwitchNote | undefined,
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
