import { describeRule } from "../../test/support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { readinessProbe } from "./rule.ts";

const bare = container({ readinessProbe: undefined });
const WHAT = "has ports and no readinessProbe";
const AT = "(spec.template.spec.containers[service].readinessProbe)";
const { Job, CronJob, Pod, ...lasting } = ofEachKind(podSpec({}, bare));

describeRule(readinessProbe, {
    compliant: {
        "a container with one": { objects: [deployment()] },
        "a container without ports": {
            objects: [deployment(podSpec({}, container({ ports: [], readinessProbe: undefined })))],
        },
        "what runs to its end": { objects: [Job, CronJob] },
        "an init container": {
            objects: [deployment(podSpec({ initContainers: [{ ...bare, name: "init" }] }))],
        },
    },
    violating: {
        "one that serves without it, in every kind": {
            objects: Object.values(lasting),
            says: Object.keys(lasting).map(
                (kind) => `${kind} search/service, container service: ${WHAT} ${AT}`,
            ),
        },
        "a pod of its own": {
            objects: [Pod],
            says: [
                `Pod search/service, container service: ${WHAT} (spec.containers[service].readinessProbe)`,
            ],
        },
        "a sidecar, but not the main container": {
            objects: [
                deployment(
                    podSpec({
                        initContainers: [{ ...bare, name: "proxy", restartPolicy: "Always" }],
                    }),
                ),
            ],
            says: [
                `Deployment search/service, container proxy: ${WHAT} (spec.template.spec.initContainers[proxy].readinessProbe)`,
            ],
        },
    },
    needs: {
        case: "a pod of its own",
        fields: ["0/spec", "0/spec/containers", "0/spec/containers/0/ports"],
    },
    ignores: {
        case: "a pod of its own",
        fields: ["0/metadata", "0/spec/containers/0/image", "0/spec/containers/0/name"],
    },
});
