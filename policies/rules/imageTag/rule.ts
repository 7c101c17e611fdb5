import { Type } from "typebox";
import { cel, matchesAny, message, template } from "../../cel/cel.ts";
import { matchesGlob } from "../../cel/glob.ts";
import { containerRule, owasp } from "../../engine/rule.ts";
import {
    IMAGES,
    parseImage,
    MUTABLE_TAGS,
    versionsWithFewerParts,
} from "../../kubernetes/images.ts";

const NONE = "uses an image without tag or digest";
const invalidReference = template((image) => message`has the invalid image reference ${image}`);
const mutableTag = template((tag) => message`uses the mutable tag ${tag}`);
const withoutDigest = template((tag) => message`uses the tag ${tag} without a digest`);

export const imageTag = containerRule({
    name: "image-tag",
    title: "Every image reference has a digest or an immutable tag.",
    why: "A mutable tag may resolve to another image on every node and at every restart, and a rollback does not restore the previous image.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
    framework: owasp("K02", "Supply chain vulnerabilities"),
    settings: {
        mutable: Type.Array(Type.String(), {
            default: [...MUTABLE_TAGS],
            description: "globs of mutable tags",
        }),
        parts: Type.Integer({
            default: 2,
            minimum: 1,
            description: "minimum parts of a version in a tag: with 2, 8 is mutable and 8.2 is not",
        }),
        digest: Type.Boolean({ default: false, description: "whether a digest is required" }),
    },
    ephemeral: true,
    *check({ spec: { image } }, { mutable, parts, digest: isDigestRequired }) {
        // An injector may fill in the image.
        if (!image) return;
        const { tag, digest, writtenName = "NAME" } = parseImage(image) ?? {};
        if (digest !== undefined) return;
        const finding = (message: string) => {
            return {
                message,
                path: "image",
                fix: { image: `${writtenName}:VERSION@sha256:DIGEST` },
            };
        };
        if (!parseImage(image)) yield finding(invalidReference(image));
        else if (tag === undefined) yield finding(NONE);
        else if (
            mutable.some((one) => matchesGlob(one, tag)) ||
            versionsWithFewerParts(parts).test(tag)
        ) {
            yield finding(mutableTag(tag));
        } else if (isDigestRequired) yield finding(withoutDigest(tag));
    },
    admission: ({ mutable, parts, digest }) => {
        const [tag, each] = [cel`tag`, { tag: IMAGES.tag }];
        const isMutable = cel`${matchesAny(mutable, tag)} || tag.matches(${versionsWithFewerParts(parts)})`;
        return [
            { each: { image: IMAGES.noReference }, message: invalidReference(cel`image`) },
            { each: { image: IMAGES.untagged }, message: NONE },
            { each, violated: isMutable, message: mutableTag(tag) },
            { enabled: digest, each, violated: cel`!${isMutable}`, message: withoutDigest(tag) },
        ].map((one) => ({ ...one, path: "image" }));
    },
});
