import { COLOURS, LABELS, otherColour, type Colour } from "@property-search/contract";
import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import { SCALERS } from "../../kubernetes/scalers.ts";
import type { Stack } from "../../kubernetes/stack.ts";

/** Kinds that exist once per colour. Secrets are excluded: their values may differ and must not be reported. */
export const PAIRED = [
    ...["Deployment", "StatefulSet", "Service", "PodDisruptionBudget", ...SCALERS],
    ...["NetworkPolicy", "ReferenceGrant", "ServiceAccount", "Role", "RoleBinding"],
    ...["ConfigMap", "ResourceQuota", "LimitRange"],
];

/** @returns the colour of an object, from its label or else from the only colour in its namespace. */
export function colourOf(object: KubernetesObject, stack: Stack): Colour | undefined {
    const { namespace } = object;
    const own = labelled(object);
    if (own !== undefined || namespace === "") return own;
    const inside = stack.objects.filter((one) => one.namespace === namespace);
    const [colour, ...others] = new Set(inside.map(labelled).filter((one) => one !== undefined));
    return others.length === 0 ? colour : undefined;
}

function labelled({ body }: KubernetesObject): Colour | undefined {
    const label = json(json(body.metadata).labels)[LABELS.colour];
    return COLOURS.find((colour) => colour === label);
}

/** @returns the object of the other colour with the same kind and, apart from the colour, the same name. */
export function counterpartOf(
    object: KubernetesObject,
    colour: Colour,
    stack: Stack,
): KubernetesObject | undefined {
    const namespace = toOther(object.namespace, colour);
    const name = toOther(object.name, colour);
    return stack.of(object.kind).find((one) => one.namespace === namespace && one.name === name);
}

/** @returns whether the stack contains pods of a colour. */
export function hasColour(colour: Colour, stack: Stack): boolean {
    return stack.pods.some(({ object }) => labelled(object) === colour);
}

/** Replaces a colour with the other one in a text. */
export function toOther(text: string, colour: Colour): string {
    return replaced(text, colour, otherColour(colour));
}

/** Compares texts of two objects, ignoring their colours and their version labels. */
export function likeness(object: KubernetesObject, colour: Colour, other: KubernetesObject) {
    const renamed = (text: string) => toOther(text, colour);
    const isSame = (mine: string, its: string): boolean => {
        if (renamed(mine) === its) return true;
        const [version, another] = [versionOf(object), versionOf(other)];
        if (version === "" || another === "") return false;
        return replaced(renamed(mine), version, another) === its;
    };
    return { renamed, isSame };
}

function versionOf({ body }: KubernetesObject): string {
    const labels = json(json(json(json(body.spec).template).metadata).labels);
    const version = labels[LABELS.version] ?? json(json(body.metadata).labels)[LABELS.version];
    return typeof version === "string" ? version : "";
}

/** Replaces whole words. */
function replaced(text: string, word: string, by: string): string {
    if (!text.includes(word)) return text;
    const literal = word.replaceAll(/[\\^$.|?+()[\]{}*]/g, String.raw`\$&`);
    return text.replaceAll(new RegExp(`(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`, "g"), () => by);
}
