import { cel } from "../../cel/cel.ts";
import { stackRule } from "../../engine/rule.ts";
import { json } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { selectorOf } from "../../kubernetes/services.ts";
import { matches } from "../../kubernetes/stack.ts";

const AT = "spec.serviceName";
const NAMES_NONE = "has no serviceName, so its pods have no DNS names";

export const statefulService = stackRule({
    name: "stateful-service",
    title: "A StatefulSet has a governing Service that selects its pods and is headless if there are several.",
    why: "The DNS names of the pods depend on that Service. Without it, they do not resolve, and pods cannot find their peers.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id",
    kinds: ["StatefulSet"],
    *check(object, stack) {
        const { namespace, name } = object;
        const { serviceName } = json(object.body.spec);
        const at = AT;
        if (typeof serviceName !== "string" || serviceName === "") {
            yield { what: NAMES_NONE, at, isMissing: true, fix: { spec: { serviceName: name } } };
            return;
        }
        const service = stack.find("Service", namespace, serviceName);
        const pod = podOf(object);
        const fix = {
            kind: "Service",
            metadata: { name: serviceName },
            spec: { clusterIP: "None", selector: pod?.labels ?? {} },
        };
        if (!service) {
            if (!stack.isWhole(namespace)) return;
            yield { what: `refers to Service ${serviceName}, which does not exist`, at, fix };
            return;
        }
        const { replicas = 1 } = json(object.body.spec);
        // A single pod is reachable through the Service's own address.
        if (Number(replicas) > 1 && json(service.body.spec).clusterIP !== "None") {
            yield { what: `refers to Service ${serviceName}, which is not headless`, at, fix };
        }
        const matchLabels = selectorOf(service);
        if (pod && matchLabels && !matches({ matchLabels }, pod.labels)) {
            yield { what: `refers to Service ${serviceName}, which does not select its pods`, at, fix };
        }
    },
    admission: () => [
        {
            of: "object",
            violated: cel`object.kind == 'StatefulSet' && object.spec.?serviceName.orValue('') == ''`,
            what: NAMES_NONE,
            at: AT,
        },
    ],
    unsaid: "the properties of that Service, which is another object",
});
