import { Type } from "typebox";
import { stackRule } from "../../engine/rule.ts";
import { ROUTES } from "../../kubernetes/routes.ts";
import { listBackends, checkBackend } from "./backends.ts";
import { listGateways, checkGateway } from "./gateways.ts";
import { checkWeights } from "./weights.ts";

export const routeWeights = stackRule({
    name: "route-weights",
    title: "A route has integer weights with the configured sum, a Gateway that accepts it, and backends that exist and may be referenced.",
    why: "A missing weight counts as 1. Requests to a backend without Service, port or ReferenceGrant get a 500.",
    severity: "critical",
    level: "mandatory",
    url: "https://gateway-api.sigs.k8s.io/guides/traffic-splitting/",
    settings: {
        sum: Type.Integer({
            default: 0,
            minimum: 0,
            description: "required sum of the weights of several backends; 0: any",
        }),
    },
    kinds: ROUTES,
    *check(route, stack, { sum }) {
        for (const { path, backends } of listBackends(route)) {
            yield* checkWeights(path, backends, sum);
            for (const backend of backends) yield* checkBackend(route, backend, stack);
        }
        for (const gateway of listGateways(route)) yield* checkGateway(route, gateway, stack);
    },
});
