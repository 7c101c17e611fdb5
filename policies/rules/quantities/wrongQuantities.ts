import { parseQuantity } from "@property-search/contract";
import { cel, said, words } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";

const BYTES = /^(memory|(ephemeral-)?storage|hugepages-.+)$/;
const NONE =
    "not a quantity; allowed: a number with an optional suffix m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi or Ei";
const LESS = "negative";
const THOUSANDTHS = "in thousandths of a byte";

/** @returns whether a resource is measured in bytes, which have no thousandths. */
export function isBytes(resource: string): boolean {
    return BYTES.test(resource);
}

/** @returns the problem of a single quantity, after "which is"; undefined if it is valid. */
export function faultOf(resource: string, quantity: unknown): string | undefined {
    const value = parseQuantity(quantity);
    if (value === undefined) return NONE;
    if (value < 0) return LESS;
    return isBytes(resource) && String(quantity).endsWith("m") ? THOUSANDTHS : undefined;
}

/** Message for an invalid quantity of a resource or a volume. */
export const wrong = words(
    (quantity, subject, problem) => said`has "${quantity}" for ${subject}, which is ${problem}`,
);
export const above = words(
    (request, resource, limit) =>
        said`requests ${request} of ${resource}, above its limit of ${limit}`,
);

const [kind, resource, volume, quantity] = [
    cel`kind`,
    cel`resource`,
    cel`volume.name`,
    cel`quantity`,
];
const fault = cel`!isQuantity(quantity) ? [${NONE}] : quantity(quantity).isLessThan(quantity('0')) ? [${LESS}] : resource.matches(${BYTES}) && quantity.endsWith('m') ? [${THOUSANDTHS}] : []`;
const isRight = (text: string) => ({ cel: `[${text}].all(quantity, size(${fault.cel}) == 0)` });

/** The checks of quantities in CEL. */
export const quantityFaults: readonly Admission[] = [
    {
        each: {
            kind: cel`['request', 'limit']`,
            resource: cel`c.?resources[?(kind + 's')].orValue({}).filter(r, r != '')`,
            quantity: cel`[string(c.resources[kind + 's'][resource])]`,
            problem: fault,
        },
        what: wrong(quantity, said`its ${resource} ${kind}`, cel`problem`),
        at: said`resources.${kind}s.${resource}`,
    },
    {
        each: {
            resource: cel`c.?resources.?requests.orValue({}).filter(r, r in c.resources.?limits.orValue({}))`,
            request: cel`[string(c.resources.requests[resource])]`,
            limit: cel`[string(c.resources.limits[resource])]`,
        },
        violated: cel`${isRight("request")} && ${isRight("limit")} && quantity(request).compareTo(quantity(limit)) > 0`,
        what: above(cel`request`, resource, cel`limit`),
        at: said`resources.requests.${resource}`,
    },
    {
        of: "pod",
        each: {
            volume: cel`variables.pod.?volumes.orValue([])`,
            resource: cel`['storage']`,
            quantity: cel`[?volume.?emptyDir.?sizeLimit].map(q, string(q))`,
            problem: fault,
        },
        what: wrong(quantity, said`the size of emptyDir ${volume}`, cel`problem`),
        at: said`volumes[${volume}].emptyDir.sizeLimit`,
    },
];
