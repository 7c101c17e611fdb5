import { Type } from "typebox";
import { cel, matchesAny, said, words } from "../../cel/cel.ts";
import { glob } from "../../cel/glob.ts";
import { containerRule } from "../../engine/rule.ts";
import { IMAGES, imageOf, MOVING_TAGS, versionsBelow } from "../../kubernetes/images.ts";

const NONE = "runs an image without tag or digest";
const wrong = words((image) => said`has ${image} for its image, which is no reference`);
const moves = words((tag) => said`runs an image by the tag ${tag}, which moves`);
const bare = words((tag) => said`runs an image by the tag ${tag} and without a digest`);

export const imageTag = containerRule({
    name: "image-tag",
    title: "Every image is named by its digest, or by a tag that stays with one image.",
    why: "What a moving tag names is decided anew on every node and at every restart, and going back to the version before brings back nothing.",
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
        moving: Type.Array(Type.String(), {
            default: [...MOVING_TAGS],
            description: "globs of moving tags",
        }),
        parts: Type.Integer({
            default: 2,
            minimum: 1,
            description: "least parts of a version that is a tag: with 2, 8 moves and 8.2 does not",
        }),
        digest: Type.Boolean({ default: false, description: "only a digest will do" }),
    },
    ephemeral: true,
    *check({ spec: { image } }, { moving, parts, digest: demanded }) {
        // One that an injector fills in.
        if (!image) return;
        const { tag, digest, written = "NAME" } = imageOf(image) ?? {};
        if (digest !== undefined) return;
        const finding = (what: string) => {
            return { what, at: "image", fix: { image: `${written}:VERSION@sha256:DIGEST` } };
        };
        if (!imageOf(image)) yield finding(wrong(image));
        else if (tag === undefined) yield finding(NONE);
        else if (moving.some((one) => glob(one, tag)) || versionsBelow(parts).test(tag)) {
            yield finding(moves(tag));
        } else if (demanded) yield finding(bare(tag));
    },
    admission: ({ moving, parts, digest }) => {
        const [tag, each] = [cel`tag`, { tag: IMAGES.tag }];
        const isMoving = cel`${matchesAny(moving, tag)} || tag.matches(${versionsBelow(parts)})`;
        return [
            { each: { image: IMAGES.noReference }, what: wrong(cel`image`) },
            { each: { image: IMAGES.untagged }, what: NONE },
            { each, violated: isMoving, what: moves(tag) },
            { asked: digest, each, violated: cel`!${isMoving}`, what: bare(tag) },
        ].map((one) => ({ ...one, at: "image" }));
    },
});
