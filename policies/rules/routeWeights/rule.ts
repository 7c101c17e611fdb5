import { Type } from "typebox";
import { stackRule } from "../../engine/rule.ts";
import { ROUTES } from "../../kubernetes/routes.ts";
import { backendsOf, unanswered } from "./backends.ts";
import { gatewaysOf, untaken } from "./gateways.ts";
import { weigh } from "./weights.ts";

export const routeWeights = stackRule({
    name: "route-weights",
    title: "A route's weights are whole numbers that add up, and it leads from a Gateway that takes it to Services that may be led to.",
    why: "A weight that is not there counts as 1 of whatever the sum is, and a backend without its Service, port or grant answers its share of the requests with 500.",
    severity: "critical",
    level: "mandatory",
    url: "https://gateway-api.sigs.k8s.io/guides/traffic-splitting/",
    settings: {
        sum: Type.Integer({
            default: 0,
            minimum: 0,
            description: "what the weights of several backends add up to; 0: to anything",
        }),
    },
    kinds: ROUTES,
    *check(route, stack, { sum }) {
        for (const { at, backends } of backendsOf(route)) {
            yield* weigh(at, backends, sum);
            for (const backend of backends) yield* unanswered(route, backend, stack);
        }
        for (const gateway of gatewaysOf(route)) yield* untaken(route, gateway, stack);
    },
});
