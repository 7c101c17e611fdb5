import { Type } from "typebox";
import { cel, matchesAny, said, words } from "../../cel/cel.ts";
import { glob } from "../../cel/glob.ts";
import { containerRule } from "../../engine/rule.ts";
import { IMAGES, imageOf } from "../../kubernetes/images.ts";

const foreign = words((name, registries) => said`runs ${name}, which is none of ${registries}`);

export const imageRegistry = containerRule({
    name: "image-registry",
    title: "Every image comes from where the stack allows it to come from.",
    why: "Anybody may publish an image under a name that is easily mistaken for another, or for one that is missing.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
    framework: {
        name: "OWASP Kubernetes Top Ten",
        version: "2022",
        reference: "K02",
        specification: "Supply chain vulnerabilities",
    },
    settings: {
        registries: Type.Array(Type.String(), {
            default: ["*"],
            minItems: 1,
            description: "globs of whole names without tag, such as docker.io/library/redis",
        }),
    },
    ephemeral: true,
    *check({ spec: { image } }, { registries }) {
        // What is no reference is for the rule `image-tag`.
        const name = image && imageOf(image)?.name;
        if (!name || registries.some((one) => glob(one, name))) return;
        const [first = ""] = registries;
        yield {
            what: foreign(name, registries.join(", ")),
            at: "image",
            fix: { image: first.replace("*", image.split("/").at(-1) ?? "") },
        };
    },
    admission: ({ registries }) => [
        {
            asked: !registries.includes("*"),
            each: { name: IMAGES.name },
            violated: cel`!(${matchesAny(registries, cel`name`)})`,
            what: foreign(cel`name`, registries.join(", ")),
            at: "image",
        },
    ],
});
