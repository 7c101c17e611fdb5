import { cel } from "../../cel/cel.ts";
import { stackRule } from "../../engine/rule.ts";
import { json } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { selectorOf } from "../../kubernetes/services.ts";
import { matches } from "../../kubernetes/stack.ts";

const AT = "spec.serviceName";
const NAMES_NONE = "names no Service, so that its pods have no names of their own";

export const statefulService = stackRule({
    name: "stateful-service",
    title: "A StatefulSet has its Service, which takes its pods, and is headless where there are several.",
    why: "The pods' own names are those of the Service: without it none of them resolves, and what finds its peers by name finds nobody.",
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
            yield { what: `names Service ${serviceName}, which is not there`, at, fix };
            return;
        }
        const { replicas = 1 } = json(object.body.spec);
        // One pod alone answers by its Service's own address.
        if (Number(replicas) > 1 && json(service.body.spec).clusterIP !== "None") {
            yield { what: `names Service ${serviceName}, which is not headless`, at, fix };
        }
        const matchLabels = selectorOf(service);
        if (pod && matchLabels && !matches({ matchLabels }, pod.labels)) {
            yield { what: `names Service ${serviceName}, which does not take its pods`, at, fix };
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
    unsaid: "what that Service is, which is another object",
});
