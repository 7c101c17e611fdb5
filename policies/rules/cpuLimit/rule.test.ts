import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { cpuLimit } from "./rule.ts";

const of = (resources: unknown) => deployment(podSpec({}, container({ resources })));
const { Job } = ofEachKind(podSpec({}, container({ resources: { requests: { cpu: "250m" } } })));
const IN = "Deployment search/service, container service:";
const AT = "(spec.template.spec.containers[service].resources.limits.cpu)";

describeRule(cpuLimit, {
    compliant: {
        "either, where nothing is decided": { objects: [deployment(), of({}), Job] },
        "a limit, where it is required": { objects: [deployment()], settings: { mode: "require" } },
        "no limit, where it is forbidden": { objects: [of({}), Job], settings: { mode: "forbid" } },
    },
    violating: {
        "no limit, where it is required": {
            objects: [of({}), Job],
            settings: { mode: "require" },
            says: [
                `${IN} has no CPU limit ${AT}`,
                `Job search/service, container service: has no CPU limit ${AT}`,
            ],
        },
        "a limit, where it is forbidden": {
            objects: [of({ limits: { cpu: "2" } })],
            settings: { mode: "forbid" },
            says: [`${IN} has a CPU limit of 2; allowed: none ${AT}`],
        },
    },
    needs: {
        case: "a limit, where it is forbidden",
        fields: [
            "0/spec/template/spec/containers/0/resources",
            "0/spec/template/spec/containers/0/resources/limits/cpu",
        ],
    },
    ignores: {
        case: "a limit, where it is forbidden",
        fields: ["0/metadata", "0/spec/template/spec/containers/0/image"],
    },
});
