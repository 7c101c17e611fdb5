import { Type } from "typebox";
import { cel, matchesAny, message, template } from "../../cel/cel.ts";
import { matchesGlob } from "../../cel/glob.ts";
import { containerRule, owasp } from "../../engine/rule.ts";
import { IMAGES, parseImage } from "../../kubernetes/images.ts";

const fromOtherRegistry = template(
    (name, registries) => message`uses the image ${name}; allowed: ${registries}`,
);

export const imageRegistry = containerRule({
    name: "image-registry",
    title: "Every image comes from an allowed registry.",
    why: "Anyone can publish an image under a name that is easily confused with another one, or that does not exist yet.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
    framework: owasp("K02", "Supply chain vulnerabilities"),
    settings: {
        registries: Type.Array(Type.String(), {
            default: ["*"],
            minItems: 1,
            description: "globs of full names without tag, such as docker.io/library/redis",
        }),
    },
    ephemeral: true,
    *check({ spec: { image } }, { registries }) {
        // The rule `image-tag` reports invalid references.
        const name = image && parseImage(image)?.name;
        if (!name || registries.some((one) => matchesGlob(one, name))) return;
        const [first = ""] = registries;
        yield {
            message: fromOtherRegistry(name, registries.join(", ")),
            path: "image",
            fix: { image: first.replace("*", image.split("/").at(-1) ?? "") },
        };
    },
    admission: ({ registries }) => [
        {
            enabled: !registries.includes("*"),
            each: { name: IMAGES.name },
            violated: cel`!(${matchesAny(registries, cel`name`)})`,
            message: fromOtherRegistry(cel`name`, registries.join(", ")),
            path: "image",
        },
    ],
});
