import { COLOURS, otherColour, type Colour } from "@property-search/contract";
import { Type } from "typebox";
import { matchesGlob } from "../../cel/glob.ts";
import { stackRule, type Finding } from "../../engine/rule.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import {
    PAIRED_KINDS,
    getColour,
    findCounterpart,
    hasColour,
    createLikeness,
    toOtherColour,
} from "./colours.ts";
import { findDifferences, formatValue } from "./parity.ts";

export const colourParity = stackRule({
    name: "colour-parity",
    title: "Both colours have the same objects, which differ only in image and version.",
    why: "A switch is meant to change the version only. Any other difference between the colours changes with it, untested and unnoticed.",
    severity: "high",
    level: "mandatory",
    url: "https://martinfowler.com/bliki/BlueGreenDeployment.html",
    settings: {
        mayDiffer: Type.Array(Type.String(), {
            default: [
                "*.image",
                "*.labels.app.kubernetes.io/version",
                "metadata.annotations",
                "status",
            ],
            description: "globs of paths that may differ between the colours",
        }),
    },
    kinds: PAIRED_KINDS,
    *check(object, stack, { mayDiffer }) {
        const colour = getColour(object, stack);
        if (colour === undefined) return;
        const other = findCounterpart(object, colour, stack);
        // Differences are reported once, for the first colour.
        if (other && colour === COLOURS[0]) yield* compare(object, other, colour, mayDiffer);
        const missing = otherColour(colour);
        if (other || !hasColour(missing, stack)) return;
        const [namespace, name] = [object.namespace, object.name].map((one) =>
            toOtherColour(one, colour),
        );
        const fix = { kind: object.kind, metadata: { namespace, name } };
        yield { message: `does not exist in ${missing}`, path: "metadata.name", fix };
    },
});

function* compare(
    object: KubernetesObject,
    other: KubernetesObject,
    colour: Colour,
    mayDiffer: readonly string[],
): Generator<Finding> {
    const alike = createLikeness(object, colour, other);
    const isExempt = (path: string) => mayDiffer.some((pattern) => matchesGlob(pattern, path));
    for (const { path, left, right } of findDifferences(object.body, other.body, {
        ...alike,
        isExempt,
    })) {
        const message = `has ${formatValue(left)}, but ${other.label} has ${formatValue(right)}`;
        yield { message, path, fix: `${path}: ${formatValue(right ?? left)} # in both` };
    }
}
