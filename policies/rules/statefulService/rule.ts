import { cel } from "../../cel/cel.ts";
import { stackRule } from "../../engine/rule.ts";
import { asJson } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import { getSelector } from "../../kubernetes/services.ts";
import { matchesSelector } from "../../kubernetes/stack.ts";

const AT = "spec.serviceName";
const NO_SERVICE_NAME = "has no serviceName, so its pods have no DNS names";

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
        const { serviceName } = asJson(object.body.spec);
        const path = AT;
        if (typeof serviceName !== "string" || serviceName === "") {
            yield {
                message: NO_SERVICE_NAME,
                path,
                isMissing: true,
                fix: { spec: { serviceName: name } },
            };
            return;
        }
        const service = stack.find("Service", namespace, serviceName);
        const pod = getPod(object);
        const fix = {
            kind: "Service",
            metadata: { name: serviceName },
            spec: { clusterIP: "None", selector: pod?.labels ?? {} },
        };
        if (!service) {
            if (!stack.isComplete(namespace)) return;
            yield { message: `refers to Service ${serviceName}, which does not exist`, path, fix };
            return;
        }
        const { replicas = 1 } = asJson(object.body.spec);
        // A single pod is reachable through the Service's own address.
        if (Number(replicas) > 1 && asJson(service.body.spec).clusterIP !== "None") {
            yield { message: `refers to Service ${serviceName}, which is not headless`, path, fix };
        }
        const matchLabels = getSelector(service);
        if (pod && matchLabels && !matchesSelector({ matchLabels }, pod.labels)) {
            yield {
                message: `refers to Service ${serviceName}, which does not select its pods`,
                path,
                fix,
            };
        }
    },
    admission: () => [
        {
            target: "object",
            violated: cel`object.kind == 'StatefulSet' && object.spec.?serviceName.orValue('') == ''`,
            message: NO_SERVICE_NAME,
            path: AT,
        },
    ],
    admissionGap: "the properties of that Service, which is another object",
});
