import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { deployment, LABELS, object, podSpec } from "../../test/support/manifests.ts";
import { statefulService } from "./rule.ts";

const set = (spec: Json = { serviceName: "service" }) => ({
    ...deployment(podSpec(), spec),
    kind: "StatefulSet",
});
const service = (spec: Json = {}) =>
    object("v1", "Service", { spec: { clusterIP: "None", selector: LABELS, ...spec } });
const messageOf = (what: string) => `StatefulSet search/service: ${what} (spec.serviceName)`;

describeRule(statefulService, {
    compliant: {
        "one with its Service": { objects: [set(), service()] },
        "one pod alone behind an address": {
            objects: [
                set({ serviceName: "service", replicas: 1 }),
                service({ clusterIP: "10.0.0.1" }),
            ],
        },
        "a namespace that an operator fills": {
            objects: [set(), object("example.com/v1", "Operated")],
        },
    },
    violating: {
        "one without": {
            objects: [set({}), set({ serviceName: "" })],
            says: [1, 2].map(() => messageOf("has no serviceName, so its pods have no DNS names")),
        },
        "one whose Service is not there": {
            objects: [set()],
            says: [messageOf("refers to Service service, which does not exist")],
        },
        "one with an address, that takes other pods": {
            objects: [set(), service({ clusterIP: "10.0.0.1", selector: { app: "other" } })],
            says: [
                messageOf("refers to Service service, which is not headless"),
                messageOf("refers to Service service, which does not select its pods"),
            ],
        },
    },
    needs: { case: "one whose Service is not there", fields: ["0/spec/serviceName", "0/spec"] },
    ignores: {
        case: "one with its Service",
        fields: ["0/spec/template/spec/containers", "1/spec/ports"].slice(0, 1),
    },
});
