import { parseQuantity } from "@property-search/contract";
import { cel, message, template } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";

const BYTES = /^(memory|(ephemeral-)?storage|hugepages-.+)$/;
const INVALID =
    "not a quantity; allowed: a number with an optional suffix m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi or Ei";
const NEGATIVE = "negative";
const MILLIBYTES = "in thousandths of a byte";

/** @returns whether a resource is measured in bytes, which have no thousandths. */
export function isBytes(resource: string): boolean {
    return BYTES.test(resource);
}

/** @returns the problem of a single quantity, after "which is"; undefined if it is valid. */
export function findProblem(resource: string, quantity: unknown): string | undefined {
    const value = parseQuantity(quantity);
    if (value === undefined) return INVALID;
    if (value < 0) return NEGATIVE;
    return isBytes(resource) && String(quantity).endsWith("m") ? MILLIBYTES : undefined;
}

/** Message for an invalid quantity of a resource or a volume. */
export const invalidQuantity = template(
    (quantity, subject, problem) => message`has "${quantity}" for ${subject}, which is ${problem}`,
);
export const aboveLimit = template(
    (request, resource, limit) =>
        message`requests ${request} of ${resource}, above its limit of ${limit}`,
);

const [kind, resource, volume, quantity] = [
    cel`kind`,
    cel`resource`,
    cel`volume.name`,
    cel`quantity`,
];
const problemInCel = cel`!isQuantity(quantity) ? [${INVALID}] : quantity(quantity).isLessThan(quantity('0')) ? [${NEGATIVE}] : resource.matches(${BYTES}) && quantity.endsWith('m') ? [${MILLIBYTES}] : []`;
const isValid = (text: string) => ({
    cel: `[${text}].all(quantity, size(${problemInCel.cel}) == 0)`,
});

/** The checks of quantities in CEL. */
export const quantityChecks: readonly AdmissionCheck[] = [
    {
        each: {
            kind: cel`['request', 'limit']`,
            resource: cel`c.?resources[?(kind + 's')].orValue({}).filter(r, r != '')`,
            quantity: cel`[string(c.resources[kind + 's'][resource])]`,
            problem: problemInCel,
        },
        message: invalidQuantity(quantity, message`its ${resource} ${kind}`, cel`problem`),
        path: message`resources.${kind}s.${resource}`,
    },
    {
        each: {
            resource: cel`c.?resources.?requests.orValue({}).filter(r, r in c.resources.?limits.orValue({}))`,
            request: cel`[string(c.resources.requests[resource])]`,
            limit: cel`[string(c.resources.limits[resource])]`,
        },
        violated: cel`${isValid("request")} && ${isValid("limit")} && quantity(request).compareTo(quantity(limit)) > 0`,
        message: aboveLimit(cel`request`, resource, cel`limit`),
        path: message`resources.requests.${resource}`,
    },
    {
        target: "pod",
        each: {
            volume: cel`variables.pod.?volumes.orValue([])`,
            resource: cel`['storage']`,
            quantity: cel`[?volume.?emptyDir.?sizeLimit].map(q, string(q))`,
            problem: problemInCel,
        },
        message: invalidQuantity(quantity, message`the size of emptyDir ${volume}`, cel`problem`),
        path: message`volumes[${volume}].emptyDir.sizeLimit`,
    },
];
