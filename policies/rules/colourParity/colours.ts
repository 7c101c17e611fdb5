import { COLOURS, LABELS, otherColour, type Colour } from "@property-search/contract";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import { SCALERS } from "../../kubernetes/scalers.ts";
import type { Stack } from "../../kubernetes/stack.ts";

/** Kinds that exist once per colour. Secrets are excluded: their values may differ and must not be reported. */
export const PAIRED_KINDS = [
    ...["Deployment", "StatefulSet", "Service", "PodDisruptionBudget", ...SCALERS],
    ...["NetworkPolicy", "ReferenceGrant", "ServiceAccount", "Role", "RoleBinding"],
    ...["ConfigMap", "ResourceQuota", "LimitRange"],
];

/** @returns the colour of an object, from its label or else from the only colour in its namespace. */
export function getColour(object: KubernetesObject, stack: Stack): Colour | undefined {
    const { namespace } = object;
    const own = getColourLabel(object);
    if (own !== undefined || namespace === "") return own;
    const inside = stack.objects.filter((one) => one.namespace === namespace);
    const [colour, ...others] = new Set(
        inside.map(getColourLabel).filter((one) => one !== undefined),
    );
    return others.length === 0 ? colour : undefined;
}

function getColourLabel({ body }: KubernetesObject): Colour | undefined {
    const label = asJson(asJson(body.metadata).labels)[LABELS.colour];
    return COLOURS.find((colour) => colour === label);
}

/** @returns the object of the other colour with the same kind and, apart from the colour, the same name. */
export function findCounterpart(
    object: KubernetesObject,
    colour: Colour,
    stack: Stack,
): KubernetesObject | undefined {
    const namespace = toOtherColour(object.namespace, colour);
    const name = toOtherColour(object.name, colour);
    return stack
        .ofKind(object.kind)
        .find((one) => one.namespace === namespace && one.name === name);
}

/** @returns whether the stack contains pods of a colour. */
export function hasColour(colour: Colour, stack: Stack): boolean {
    return stack.pods.some(({ object }) => getColourLabel(object) === colour);
}

/** Replaces a colour with the other one in a text. */
export function toOtherColour(text: string, colour: Colour): string {
    return replaceWord(text, colour, otherColour(colour));
}

/** Compares texts of two objects, ignoring their colours and their version labels. */
export function createLikeness(object: KubernetesObject, colour: Colour, other: KubernetesObject) {
    const renamed = (text: string) => toOtherColour(text, colour);
    const isSame = (mine: string, its: string): boolean => {
        if (renamed(mine) === its) return true;
        const [version, another] = [getVersion(object), getVersion(other)];
        if (version === "" || another === "") return false;
        return replaceWord(renamed(mine), version, another) === its;
    };
    return { renamed, isSame };
}

function getVersion({ body }: KubernetesObject): string {
    const labels = asJson(asJson(asJson(asJson(body.spec).template).metadata).labels);
    const version = labels[LABELS.version] ?? asJson(asJson(body.metadata).labels)[LABELS.version];
    return typeof version === "string" ? version : "";
}

/** Replaces whole words. */
function replaceWord(text: string, word: string, by: string): string {
    if (!text.includes(word)) return text;
    const literal = word.replaceAll(/[\\^$.|?+()[\]{}*]/g, String.raw`\$&`);
    return text.replaceAll(new RegExp(`(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`, "g"), () => by);
}
