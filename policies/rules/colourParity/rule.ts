import { COLOURS, otherColour, type Colour } from "@property-search/contract";
import { Type } from "typebox";
import { glob } from "../../cel/glob.ts";
import { stackRule, type Finding } from "../../engine/rule.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { PAIRED, colourOf, counterpartOf, hasColour, likeness, toOther } from "./colours.ts";
import { differences, told } from "./parity.ts";

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
    kinds: PAIRED,
    *check(object, stack, { mayDiffer }) {
        const colour = colourOf(object, stack);
        if (colour === undefined) return;
        const other = counterpartOf(object, colour, stack);
        // Differences are reported once, for the first colour.
        if (other && colour === COLOURS[0]) yield* compare(object, other, colour, mayDiffer);
        const missing = otherColour(colour);
        if (other || !hasColour(missing, stack)) return;
        const [namespace, name] = [object.namespace, object.name].map((one) =>
            toOther(one, colour),
        );
        const fix = { kind: object.kind, metadata: { namespace, name } };
        yield { what: `does not exist in ${missing}`, at: "metadata.name", fix };
    },
});

function* compare(
    object: KubernetesObject,
    other: KubernetesObject,
    colour: Colour,
    mayDiffer: readonly string[],
): Generator<Finding> {
    const alike = likeness(object, colour, other);
    const isExempt = (path: string) => mayDiffer.some((pattern) => glob(pattern, path));
    for (const { path, left, right } of differences(object.body, other.body, {
        ...alike,
        isExempt,
    })) {
        const what = `has ${told(left)}, but ${other.label} has ${told(right)}`;
        yield { what, at: path, fix: `${path}: ${told(right ?? left)} # in both` };
    }
}
