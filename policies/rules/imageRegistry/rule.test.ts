import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { imageRegistry } from "./rule.ts";

const of = (image: string) => podSpec({}, container({ image }));
const registries = ["registry.example/*", "docker.io/library/redis"];
const AT = "(spec.template.spec.containers[service].image)";
const { Job, Pod } = ofEachKind(of("redis.example/redis"));

describeRule(imageRegistry, {
    compliant: {
        "anything, where nothing is set": { objects: [deployment(of("evil.example/a:v1"))] },
        "what is allowed, however it is written": {
            objects: [
                deployment(),
                deployment(of("redis:8.2.3")),
                deployment(of("docker.io/redis@sha256:" + "0a".repeat(32))),
                deployment(of("library/redis")),
            ],
            settings: { registries },
        },
        "what is no reference, which another rule finds": {
            objects: [deployment(of("Redis")), deployment(podSpec({}, container({ image: "" })))],
            settings: { registries },
        },
    },
    violating: {
        "others, and what only looks alike": {
            objects: [
                deployment(of("redis/redis:8.2.3")),
                deployment(of("registry.example.evil.example/search:v1")),
                Job,
            ],
            settings: { registries },
            says: [
                `Deployment search/service, container service: uses the image docker.io/redis/redis; allowed: registry.example/*, docker.io/library/redis ${AT}`,
                `Deployment search/service, container service: uses the image registry.example.evil.example/search; allowed: registry.example/*, docker.io/library/redis ${AT}`,
                `Job search/service, container service: uses the image redis.example/redis; allowed: registry.example/*, docker.io/library/redis ${AT}`,
            ],
        },
        "an ephemeral container": {
            objects: [
                {
                    ...Pod,
                    spec: podSpec({ ephemeralContainers: [{ name: "debug", image: "busybox" }] }),
                },
            ],
            settings: { registries },
            says: [
                "Pod search/service, container debug: uses the image docker.io/library/busybox; allowed: registry.example/*, docker.io/library/redis (spec.ephemeralContainers[debug].image)",
            ],
        },
    },
    needs: {
        case: "others, and what only looks alike",
        fields: ["0/spec/template/spec/containers/0/image", "2/spec/template"],
    },
    ignores: {
        case: "others, and what only looks alike",
        fields: ["0/metadata", "0/spec/template/spec/containers/0/name"],
    },
});
