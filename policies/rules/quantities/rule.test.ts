import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { quantities } from "./rule.ts";

const of = (requests: unknown, limits: unknown) =>
    deployment(podSpec({}, container({ resources: { requests, limits } })));
const emptyDir = (sizeLimit?: string) =>
    podSpec({
        volumes: [{ name: "tmp", emptyDir: sizeLimit === undefined ? {} : { sizeLimit } }],
    });
const IN = "Deployment search/service, container service:";
const at = (field: string) => `(spec.template.spec.containers[service].resources.${field})`;
const NONE =
    "which is not a quantity; allowed: a number with an optional suffix m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi or Ei";
const { Pod } = ofEachKind(emptyDir("1gi"));

describeRule(quantities, {
    compliant: {
        "quantities of every form": {
            objects: [
                of({ cpu: 0.5, memory: "1e9", "nvidia.com/gpu": 1 }, { cpu: "1", memory: "1G" }),
                of({ cpu: "1500m", memory: "1Gi" }, { cpu: 1.5, memory: "1024Mi" }),
                of({}, { memory: "1Gi", "hugepages-2Mi": "64Mi" }),
            ],
        },
        "no quantities": { objects: [deployment(podSpec({}, container({ resources: {} })))] },
        "a volume with one, and one without": {
            objects: [deployment(emptyDir("64Mi")), deployment(emptyDir())],
        },
    },
    violating: {
        "what is no quantity": {
            objects: [
                of({ cpu: "500 m", memory: "1GB" }, { memory: "2Gi", "ephemeral-storage": "1gi" }),
                of({ cpu: "" }, { cpu: "-1" }),
            ],
            says: [
                `${IN} has "500 m" for its cpu request, ${NONE} ${at("requests.cpu")}`,
                `${IN} has "1GB" for its memory request, ${NONE} ${at("requests.memory")}`,
                `${IN} has "1gi" for its ephemeral-storage limit, ${NONE} ${at("limits.ephemeral-storage")}`,
                `${IN} has "" for its cpu request, ${NONE} ${at("requests.cpu")}`,
                `${IN} has "-1" for its cpu limit, which is negative ${at("limits.cpu")}`,
            ],
        },
        "thousandths of a byte": {
            objects: [of({ memory: "400m" }, { memory: "400m" })],
            says: ["request", "limit"].map(
                (one) =>
                    `${IN} has "400m" for its memory ${one}, which is in thousandths of a byte ${at(`${one}s.memory`)}`,
            ),
        },
        "requests above their limits": {
            objects: [of({ cpu: "1.1", memory: "1Gi" }, { cpu: "1000m", memory: "1G" })],
            says: [
                `${IN} requests 1.1 of cpu, above its limit of 1000m ${at("requests.cpu")}`,
                `${IN} requests 1Gi of memory, above its limit of 1G ${at("requests.memory")}`,
            ],
        },
        "a volume's size": {
            objects: [deployment(emptyDir("64m")), Pod],
            says: [
                'Deployment search/service: has "64m" for the size of emptyDir tmp, which is in thousandths of a byte (spec.template.spec.volumes[tmp].emptyDir.sizeLimit)',
                `Pod search/service: has "1gi" for the size of emptyDir tmp, ${NONE} (spec.volumes[tmp].emptyDir.sizeLimit)`,
            ],
        },
    },
    needs: {
        case: "requests above their limits",
        fields: [
            "0/spec/template/spec/containers/0/resources/requests/cpu",
            "0/spec/template/spec/containers/0/resources/limits/memory",
        ],
    },
    ignores: {
        case: "requests above their limits",
        fields: [
            "0/metadata",
            "0/spec/template/spec/containers/0/name",
            "0/spec/template/spec/containers/0/image",
        ],
    },
});
