import fc from "fast-check";
import { describeRemediation } from "../../test/support/describeRemediation.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { ephemeralStorage } from "./rule.ts";

const bare = container({ resources: { limits: { memory: "1Gi" } } });
const volumes = (...emptyDirs: unknown[]) =>
    podSpec({ volumes: emptyDirs.map((emptyDir, index) => ({ name: `v${index}`, emptyDir })) });
const IN = "Deployment search/service";
const LIMIT = "resources.limits.ephemeral-storage";
const { CronJob } = ofEachKind(podSpec({}, bare));

describeRule(ephemeralStorage, {
    compliant: {
        "limits of both": { objects: [deployment(volumes({ sizeLimit: "1Gi" }))] },
        "other volumes, and huge pages": {
            objects: [
                deployment(podSpec({ volumes: [{ name: "config", configMap: { name: "a" } }] })),
                deployment(volumes({ medium: "HugePages-2Mi" })),
            ],
        },
        "none, if none is required": {
            objects: [deployment(podSpec({}, bare)), deployment(volumes({}))],
            settings: { limits: false, sizeLimits: false },
        },
    },
    violating: {
        "no limit of a container": {
            objects: [deployment(podSpec({ initContainers: [bare] })), CronJob],
            says: [
                `${IN}, container service: has no ephemeral-storage limit (spec.template.spec.initContainers[service].${LIMIT})`,
                `CronJob search/service, container service: has no ephemeral-storage limit (spec.jobTemplate.spec.template.spec.containers[service].${LIMIT})`,
            ],
        },
        "no limit of a volume, on disk or in memory": {
            objects: [deployment(volumes({}, { sizeLimit: "1Gi" }, { medium: "Memory" }))],
            says: [0, 2].map(
                (index) =>
                    `${IN}: has the emptyDir v${index} without a sizeLimit (spec.template.spec.volumes[v${index}].emptyDir.sizeLimit)`,
            ),
        },
    },
    needs: {
        case: "no limit of a volume, on disk or in memory",
        fields: [
            "0/spec/template/spec/volumes",
            "0/spec/template/spec/volumes/0",
            "0/spec/template/spec/volumes/2/emptyDir",
        ],
    },
    ignores: {
        case: "no limit of a volume, on disk or in memory",
        fields: ["0/metadata", "0/spec/template/spec/containers/0/image"],
    },
});

const size = fc.constantFrom("64Mi", "1Gi");
const emptyDir = fc.record(
    { sizeLimit: size, medium: fc.constantFrom("", "Memory", "HugePages") },
    { requiredKeys: [] },
);
const volume = fc.record({ emptyDir }, { requiredKeys: [] });
const pods = fc
    .array(volume, { maxLength: 4 })
    .map((all) => podSpec({ volumes: all.map((one, i) => ({ name: `v${i}`, ...one })) }));
const onDisk = fc.array(fc.record({ sizeLimit: size }, { requiredKeys: [] }), { maxLength: 4 });

describeRemediation(ephemeralStorage, {
    pods: onDisk.map((all) => volumes(...all)),
    settings: { defaultSizeLimit: "256Mi" },
});
describeRemediation(ephemeralStorage, {
    pods,
    settings: { defaultSizeLimit: "256Mi" },
    // Those in memory.
    left: [/without a sizeLimit/],
});
