import { RELEASE, RELEASE_ANNOTATIONS, type Weights } from "@property-search/contract";
import { retryOnConflict, type Api } from "../api.ts";
import { ROUTE, routeWeights, withWeights, type Route } from "../../shared/route.ts";
import { ReleaseError } from "../error.ts";
import { assertNotSuperseded } from "../fence.ts";
import { ownersOf } from "../../cluster/fieldOwnership.ts";

/** Annotations that the driver sets on the route for dashboards and deploys. */
export type RouteAnnotations = Partial<Record<keyof typeof RELEASE_ANNOTATIONS, string>>;

/** Path of the field with the weights. */
export const RULES_PATH = ["spec", "rules"] as const;

/** @throws ReleaseError if the route does not exist */
export async function readRoute(api: Api): Promise<Route> {
    const route = await api.read<Route>(ROUTE);
    if (route) return route;
    const { kind, namespace, name } = ROUTE;
    throw new ReleaseError(`${kind} ${namespace}/${name} does not exist: deploy the stack first`);
}

/**
 * Checks that the gateway has accepted the current generation of the route. Conditions of an earlier generation are
 * ignored: they stay while the controller lags. A deploy checks the same for many kinds with shorter messages
 * (deploy/apply/ready.ts).
 *
 * @returns why the route is not in force, or undefined
 */
export function notAcceptedReason({ metadata, status }: Route): string | undefined {
    const parents = status?.parents ?? [];
    if (parents.length === 0) return "no gateway has reported its status";
    const found = parents.flatMap(({ conditions = [] }) =>
        ["Accepted", "ResolvedRefs"].map((type) => {
            const condition = conditions.find((one) => one.type === type);
            if (condition?.observedGeneration !== metadata.generation) {
                return `${type} is not yet reported for generation ${metadata.generation ?? "?"}`;
            }
            if (condition?.status === "True") return undefined;
            return `${type} is ${condition?.status ?? "unknown"}: ${condition?.message ?? ""}`;
        }),
    );
    return found.find((words) => words !== undefined);
}

export interface RouteWrite {
    /**
     * Weights to set. `retain`: the driver keeps its ownership of the rules; `release`: it relinquishes the rules to
     * their other owners.
     */
    readonly weights: Weights | "retain" | "release";
    readonly annotations: RouteAnnotations;
    readonly fence: number;
}

/**
 * Writes annotations, and weights with force: the driver then owns the rules until it writes without them, and a deploy
 * with other weights is rejected. Each write is based on the version of the route that was read, and a later driver's
 * fence stops it.
 *
 * @throws Superseded
 */
export function writeRoute(api: Api, { weights, annotations, fence }: RouteWrite): Promise<Route> {
    return retryOnConflict(async () => {
        const route = await readRoute(api);
        assertNotSuperseded(route, fence);
        return api.apply<Route>({
            apiVersion: ROUTE.apiVersion,
            kind: ROUTE.kind,
            metadata: {
                namespace: ROUTE.namespace,
                name: ROUTE.name,
                // Makes the apply a compare-and-swap.
                resourceVersion: route.metadata.resourceVersion ?? "",
                annotations: {
                    ...driverAnnotations(route),
                    ...toAnnotations({ ...annotations, fence: String(fence) }),
                },
            },
            ...rulesFor(route, weights),
        });
    });
}

/** The API server treats rules as one field: setting a weight sets all of them. */
function rulesFor(route: Route, weights: RouteWrite["weights"]): Pick<Route, "spec"> {
    if (weights === "release") return {};
    if (weights === "retain") {
        const isHeld = ownersOf(route, RULES_PATH).includes(RELEASE.fieldManager);
        return isHeld ? { spec: { rules: route.spec?.rules ?? [] } } : {};
    }
    // Throws for a route without the rule with both colours.
    routeWeights(route);
    return { spec: { rules: withWeights(route, weights).spec?.rules ?? [] } };
}

/** The driver's annotations of earlier writes; an apply without them would delete them. */
function driverAnnotations({ metadata }: Route): Record<string, string> {
    const ours: readonly string[] = Object.values(RELEASE_ANNOTATIONS);
    return Object.fromEntries(
        Object.entries(metadata.annotations ?? {}).filter(([key]) => ours.includes(key)),
    );
}

function toAnnotations(marks: RouteAnnotations): Record<string, string> {
    return Object.fromEntries(
        Object.entries(marks).map(([mark, value]) => [
            RELEASE_ANNOTATIONS[mark as keyof RouteAnnotations],
            value,
        ]),
    );
}
