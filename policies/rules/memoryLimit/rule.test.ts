import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { memoryLimit } from "./rule.ts";

const AT = "spec.template.spec.containers[service].resources.limits.memory";
const memory = (request: unknown, limit: unknown) =>
    deployment(
        podSpec(
            {},
            container({ resources: { requests: { memory: request }, limits: { memory: limit } } }),
        ),
    );
const { CronJob } = ofEachKind(podSpec({}, container({ resources: {} })));

describeRule(memoryLimit, {
    compliant: {
        "a limit of twice the request": { objects: [memory("1Gi", "2048Mi")] },
        "one of four times, where that is allowed": {
            objects: [memory("1Gi", "4Gi")],
            settings: { ratio: 4 },
        },
        "a limit that cannot be read, which another rule finds": {
            objects: [memory("1Gi", "lots")],
        },
    },
    violating: {
        "none at all": {
            objects: [CronJob],
            says: [
                "CronJob search/service, container service: has no memory limit (spec.jobTemplate.spec.template.spec.containers[service].resources.limits.memory)",
            ],
        },
        "one that is far above the request": {
            objects: [memory("100M", "200.1M")],
            says: [
                `Deployment search/service, container service: has a memory limit of 200.1M, more than 2 times its request of 100M (${AT})`,
            ],
        },
    },
    needs: {
        case: "one that is far above the request",
        fields: [
            "0/spec/template/spec/containers/0/resources/limits/memory",
            "0/spec/template/spec/containers/0/resources/requests",
        ],
    },
    ignores: {
        case: "one that is far above the request",
        fields: ["0/spec/template/spec/containers/0/image", "0/spec/replicas"],
    },
});
