import {
    checkWeights,
    COLOURS,
    NAMESPACES,
    perColour,
    ROUTE_NAME,
    SERVICE_NAMES,
    type Weights,
} from "@property-search/contract";
import { ClusterError, type Manifest } from "../cluster/connect.ts";

/** The route whose weights split the traffic. */
export const ROUTE = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    namespace: NAMESPACES.edge,
    name: ROUTE_NAME,
};

export interface Route extends Manifest {
    readonly spec?: { readonly rules?: readonly Rule[] };
    readonly status?: {
        readonly parents?: readonly { readonly conditions?: readonly Condition[] }[];
    };
}

interface Condition {
    readonly type: string;
    readonly status: string;
    readonly observedGeneration?: number;
    readonly message?: string;
}

interface Rule {
    readonly backendRefs?: readonly BackendRef[];
}

interface BackendRef {
    readonly name: string;
    readonly weight?: number;
}

export function isRoute({ kind, metadata }: Manifest): boolean {
    return kind === ROUTE.kind && metadata.name === ROUTE.name;
}

/**
 * Reads the weights of the route's rule with both colours' Services.
 *
 * @throws ClusterError if there is no such rule, or its weights are invalid
 */
export function routeWeights({ metadata, spec }: Route): Weights {
    const name = `HTTPRoute ${metadata.namespace ?? ""}/${metadata.name}`;
    const references = spec?.rules?.find(splitsTraffic)?.backendRefs;
    if (!references) throw new ClusterError(`${name} has no rule with both colours`);
    const check = checkWeights(
        perColour((colour) => references.find((ref) => ref.name === SERVICE_NAMES[colour])?.weight),
    );
    if ("weights" in check) return check.weights;
    throw new ClusterError(`the weight of ${name} ${check.errors.join("; ")}`);
}

/** Returns the route with other weights. */
export function withWeights<T extends Route>(route: T, weights: Weights): T {
    const rules = route.spec?.rules?.map((rule) =>
        splitsTraffic(rule) ? { ...rule, backendRefs: rule.backendRefs.map(setWeight) } : rule,
    );
    return { ...route, spec: { ...route.spec, ...(rules && { rules }) } };

    function setWeight(reference: BackendRef): BackendRef {
        const colour = COLOURS.find((one) => SERVICE_NAMES[one] === reference.name);
        return colour === undefined ? reference : { ...reference, weight: weights[colour] };
    }
}

/** `90/10`, blue first. */
export function formatWeights({ blue, green }: Weights): string {
    return `${blue}/${green}`;
}

function splitsTraffic(rule: Rule): rule is Required<Rule> {
    return rule.backendRefs?.length === COLOURS.length;
}
