import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { resourceRequests } from "./rule.ts";

const of = (resources: unknown, name = "service") =>
    deployment(podSpec({}, container({ name, resources })));
const at = (resource: string, name = "service") =>
    `(spec.template.spec.containers[${name}].resources.requests.${resource})`;
const SPECS: Readonly<Record<string, string>> = {
    Pod: "spec",
    CronJob: "spec.jobTemplate.spec.template.spec",
};
const bounds = [
    { container: "*", resource: "cpu", min: "50m" },
    { container: "redis*", resource: "memory", min: "1Gi", max: "4Gi" },
    { container: "redis*", resource: "cpu", max: "2" },
];
const every = ofEachKind(podSpec({}, container({ resources: undefined })));
const init = { ...container({ resources: { requests: { cpu: "1" } } }), name: "init" };

describeRule(resourceRequests, {
    compliant: {
        "both requests": { objects: [of({ requests: { cpu: 0.1, memory: "1Gi" } })] },
        "limits, which are requests where there are none": {
            objects: [of({ limits: { cpu: "1", memory: "1Gi" } })],
        },
        "requests at their bounds": {
            objects: [of({ requests: { cpu: "2000m", memory: "1024Mi" } }, "redis-1")],
            settings: { bounds },
        },
        "a request that cannot be read, which another rule finds": {
            objects: [of({ requests: { cpu: "lots", memory: "1Gi" } })],
            settings: { bounds },
        },
    },
    violating: {
        "no resources, in every kind": {
            objects: Object.values(every),
            says: Object.keys(every).flatMap((kind) =>
                ["cpu", "memory"].map(
                    (resource) =>
                        `${kind} search/service, container service: has no ${resource} request (${SPECS[kind] ?? "spec.template.spec"}.containers[service].resources.requests.${resource})`,
                ),
            ),
        },
        "an init container without one of them": {
            objects: [deployment(podSpec({ initContainers: [init] }))],
            says: [
                "Deployment search/service, container init: has no memory request (spec.template.spec.initContainers[init].resources.requests.memory)",
            ],
        },
        "limits, where requests have to be there": {
            objects: [of({ requests: { cpu: "1" }, limits: { cpu: "1", memory: "1Gi" } })],
            settings: { explicit: true },
            says: [
                `Deployment search/service, container service: has no memory request ${at("memory")}`,
            ],
        },
        "requests out of bounds": {
            objects: [
                of({ requests: { cpu: "2.5", memory: "512Mi" } }, "redis"),
                of({ requests: { cpu: "49m", memory: "1Mi" } }),
            ],
            settings: { bounds },
            says: [
                `Deployment search/service, container redis: requests 2.5 of cpu; allowed: 0 to 2 ${at("cpu", "redis")}`,
                `Deployment search/service, container redis: requests 512Mi of memory; allowed: 1Gi to 4Gi ${at("memory", "redis")}`,
                `Deployment search/service, container service: requests 49m of cpu; allowed: 50m to any ${at("cpu")}`,
            ],
        },
    },
    needs: {
        case: "requests out of bounds",
        fields: [
            "0/spec/template/spec/containers/0/name",
            "0/spec/template/spec/containers/0/resources/requests/cpu",
            "1/spec/template/spec/containers/0/resources",
        ],
    },
    ignores: {
        case: "an init container without one of them",
        fields: [
            "0/metadata",
            "0/spec/template/spec/initContainers/0/name",
            "0/spec/template/spec/initContainers/0/image",
        ],
    },
});
