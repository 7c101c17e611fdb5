import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { imageTag } from "./rule.ts";

const DIGEST = `sha256:${"0a".repeat(32)}`;
const of = (...images: string[]) =>
    deployment(
        podSpec({}, ...images.map((image, index) => container({ name: `c${index}`, image }))),
    );
const says = (index: number, what: string) =>
    `Deployment search/service, container c${index}: ${what} (spec.template.spec.containers[c${index}].image)`;
const { Pod, CronJob } = ofEachKind(podSpec({}, container({ image: "redis" })));

describeRule(imageTag, {
    compliant: {
        "digests, with any tag": {
            objects: [of(`redis@${DIGEST}`, `ghcr.io/a/b:latest@${DIGEST}`)],
            settings: { digest: true },
        },
        "tags that stay": {
            objects: [of("redis:8.2-alpine", "a:5000/b:v1.2.3", "a:20240229", "a:3-7f9a2c1")],
        },
        "a tag that the stack knows": {
            objects: [of("localhost/redis:stable")],
            settings: { mutable: ["latest"] },
        },
        "an image that an injector fills in": {
            objects: [deployment(podSpec({}, container({ image: undefined })))],
        },
    },
    violating: {
        "no tag": {
            objects: [of("redis", "registry:5000/redis"), Pod, CronJob],
            says: [
                says(0, "uses an image without tag or digest"),
                says(1, "uses an image without tag or digest"),
                "Pod search/service, container service: uses an image without tag or digest (spec.containers[service].image)",
                "CronJob search/service, container service: uses an image without tag or digest (spec.jobTemplate.spec.template.spec.containers[service].image)",
            ],
        },
        "tags that move": {
            objects: [of("redis:latest", "a:5000/b:main", "c:develop", "d:8", "e:v3-alpine3.20")],
            says: ["latest", "main", "develop", "8", "v3-alpine3.20"].map((tag, index) =>
                says(index, `uses the mutable tag ${tag}`),
            ),
        },
        "a minor version, if three parts are required": {
            objects: [of("redis:8.2", "redis:8.2.3")],
            settings: { parts: 3 },
            says: [says(0, "uses the mutable tag 8.2")],
        },
        "no digest, if one is required": {
            objects: [of("redis:8.2.3")],
            settings: { digest: true },
            says: [says(0, "uses the tag 8.2.3 without a digest")],
        },
        "what is no reference, and in an ephemeral container": {
            objects: [
                of("Redis:8.2.3"),
                {
                    ...Pod,
                    spec: podSpec({ ephemeralContainers: [{ name: "debug", image: "busybox" }] }),
                },
            ],
            says: [
                says(0, "has the invalid image reference Redis:8.2.3"),
                "Pod search/service, container debug: uses an image without tag or digest (spec.ephemeralContainers[debug].image)",
            ],
        },
    },
    needs: {
        case: "tags that move",
        fields: ["0/spec/template/spec/containers/0/image"],
    },
    ignores: {
        case: "tags that move",
        fields: [
            "0/metadata",
            "0/spec/template/spec/containers/0/name",
            "0/spec/template/spec/containers/0/resources",
        ],
    },
});
