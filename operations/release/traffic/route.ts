import { RELEASE, RELEASE_ANNOTATIONS, type Weights } from "@property-search/contract";
import { againOnConflict, type Api } from "../api.ts";
import { ROUTE, routeWeights, withWeights, type Route } from "../../shared/route.ts";
import { ReleaseError } from "../error.ts";
import { refuseLater } from "../fence.ts";
import { ownersOf } from "../../cluster/fieldOwnership.ts";

/** What the driver writes on the route beside its weights: dashboards and deploys read it. */
export type Marks = Partial<Record<keyof typeof RELEASE_ANNOTATIONS, string>>;

/** The field that holds the weights. */
export const RULES = ["spec", "rules"] as const;

/** @throws ReleaseError when there is no route */
export async function readRoute(api: Api): Promise<Route> {
    const route = await api.read<Route>(ROUTE);
    if (route) return route;
    const { kind, namespace, name } = ROUTE;
    throw new ReleaseError(`there is no ${kind} ${namespace}/${name}: deploy the stack first`);
}

/**
 * What a gateway says of the route as it is now. Conditions of an earlier generation say nothing: they may
 * stand there for as long as the controller is behind. A deploy asks the same of many kinds, in fewer words
 * (deploy/apply/ready.ts): it reports while it waits, and a switch keeps the reason on record.
 *
 * @returns why it does not serve as it stands, or undefined
 */
export function unaccepted({ metadata, status }: Route): string | undefined {
    const parents = status?.parents ?? [];
    if (parents.length === 0) return "no gateway has answered for it";
    const found = parents.flatMap(({ conditions = [] }) =>
        ["Accepted", "ResolvedRefs"].map((type) => {
            const condition = conditions.find((one) => one.type === type);
            if (condition?.observedGeneration !== metadata.generation) {
                return `${type} is not yet told of generation ${metadata.generation ?? "?"}`;
            }
            if (condition?.status === "True") return undefined;
            return `${type} is ${condition?.status ?? "unknown"}: ${condition?.message ?? ""}`;
        }),
    );
    return found.find((words) => words !== undefined);
}

export interface RouteWrite {
    /**
     * Weights to set; `kept`: the driver goes on to hold what it holds; `left`: it gives them up to those
     * who own them too.
     */
    readonly weights: Weights | "kept" | "left";
    readonly marks: Marks;
    readonly fence: number;
}

/**
 * Writes marks, and weights with force: then the rules are the driver's until it writes without them, and a
 * deploy that wants other weights is refused. Nobody is overtaken: a write holds for the version of the
 * route that was read, and a later driver's fence ends it.
 *
 * @throws Superseded
 */
export function writeRoute(api: Api, { weights, marks, fence }: RouteWrite): Promise<Route> {
    return againOnConflict(async () => {
        const route = await readRoute(api);
        refuseLater(route, fence);
        return api.apply<Route>({
            apiVersion: ROUTE.apiVersion,
            kind: ROUTE.kind,
            metadata: {
                namespace: ROUTE.namespace,
                name: ROUTE.name,
                // Makes the apply a compare-and-swap.
                resourceVersion: route.metadata.resourceVersion ?? "",
                annotations: {
                    ...marksOf(route),
                    ...annotations({ ...marks, fence: String(fence) }),
                },
            },
            ...ruled(route, weights),
        });
    });
}

/** Rules are one field to the API server: who sets a weight sets all of them. */
function ruled(route: Route, weights: RouteWrite["weights"]): Pick<Route, "spec"> {
    if (weights === "left") return {};
    if (weights === "kept") {
        const isHeld = ownersOf(route, RULES).includes(RELEASE.fieldManager);
        return isHeld ? { spec: { rules: route.spec?.rules ?? [] } } : {};
    }
    // A route without the rule that they are for is refused here.
    routeWeights(route);
    return { spec: { rules: withWeights(route, weights).spec?.rules ?? [] } };
}

/** Marks of earlier writes; who applies without them deletes them. */
function marksOf({ metadata }: Route): Record<string, string> {
    const ours: readonly string[] = Object.values(RELEASE_ANNOTATIONS);
    return Object.fromEntries(
        Object.entries(metadata.annotations ?? {}).filter(([key]) => ours.includes(key)),
    );
}

function annotations(marks: Marks): Record<string, string> {
    return Object.fromEntries(
        Object.entries(marks).map(([mark, value]) => [
            RELEASE_ANNOTATIONS[mark as keyof Marks],
            value,
        ]),
    );
}
