import { expect, test } from "@jest/globals";
import { parseRuleConfig } from "../../engine/config.ts";
import { evaluate } from "../../engine/evaluate.ts";
import { toObjects } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import {
    container,
    deployment,
    object,
    ofEachKind,
    podSpec,
} from "../../test/support/manifests.ts";
import { ephemeralStorage } from "../ephemeralStorage/rule.ts";
import { fields } from "./rule.ts";

const IN = "Deployment search/service:";
const at = (path: string) => `(spec.template.spec.${path})`;
const numbers = {
    replicas: "3",
    template: { spec: podSpec({ terminationGracePeriodSeconds: 4.5 }) },
};

describeRule(fields, {
    compliant: {
        "all that makes pods": {
            objects: Object.values(ofEachKind(podSpec())),
        },
        "numbers for quantities, ports by name, nothing for something": {
            objects: [
                deployment(
                    podSpec(
                        { hostAliases: null, volumes: [{ name: "a", emptyDir: {} }] },
                        container({ resources: { limits: { cpu: 1, memory: "1Gi" } } }),
                    ),
                ),
                object("v1", "Service", { spec: { ports: [{ port: 80, targetPort: "http" }] } }),
            ],
        },
        "kinds that Kubernetes does not have": {
            objects: [
                object("serving.knative.dev/v1", "Service", { spec: { template: { x: 1 } } }),
                object("gateway.networking.k8s.io/v1", "HTTPRoute", { spec: { anything: true } }),
            ],
        },
    },
    violating: {
        "fields that are misspelt": {
            objects: [
                deployment(
                    podSpec(
                        { serviceAcountName: "service" },
                        container({ readynessProbe: {}, nonsense: 1 }),
                    ),
                ),
            ],
            says: [
                `${IN} has the unknown field readynessProbe; did you mean readinessProbe? ${at("containers[0].readynessProbe")}`,
                `${IN} has the unknown field nonsense ${at("containers[0].nonsense")}`,
                `${IN} has the unknown field serviceAcountName; did you mean serviceAccountName? ${at("serviceAcountName")}`,
            ],
        },
        "values of other types": {
            objects: [
                deployment(
                    podSpec({}, container({ command: "sh", env: { A: "b" }, args: [1, null] })),
                    { ...numbers, template: undefined, paused: "yes" },
                ),
                object("v1", "ConfigMap", { data: { flag: true, list: [] } }),
            ],
            says: [
                `${IN} has text; allowed: a whole number (spec.replicas)`,
                `${IN} has text; allowed: true or false (spec.paused)`,
                "ConfigMap search/service: has true or false; allowed: text (data[flag])",
                "ConfigMap search/service: has a list; allowed: text (data[list])",
            ],
        },
        "numbers where only texts of digits will do": {
            objects: [
                deployment(
                    podSpec(
                        { tolerations: [{ key: "a", value: 5 }] },
                        container({ env: [{ name: "PORT", value: 8080 }] }),
                    ),
                ),
            ],
            says: [
                `${IN} has a number; allowed: text ${at("containers[0].env[0].value")}`,
                `${IN} has a number; allowed: text ${at("tolerations[0].value")}`,
            ],
        },
        "lists that are none, and elements that are nothing": {
            objects: [
                deployment(
                    podSpec({ volumes: [null] }, container({ env: { A: "b" }, args: [1, null] })),
                ),
            ],
            says: [
                `${IN} has a map; allowed: a list ${at("containers[0].env")}`,
                `${IN} has a number; allowed: text ${at("containers[0].args[0]")}`,
                `${IN} has an empty list element ${at("containers[0].args[1]")}`,
                `${IN} has an empty list element ${at("volumes[0]")}`,
            ],
        },
    },
    needs: {
        case: "lists that are none, and elements that are nothing",
        fields: ["0/spec/template/spec/containers/0/env", "0/metadata"],
    },
    ignores: { case: "all that makes pods", fields: [] },
});

test("a rule that meets what the API does not promise is undecided there, and no error", () => {
    const broken = toObjects(deployment(podSpec({ volumes: [null] })));
    const { undecided } = evaluate(ephemeralStorage, parseRuleConfig(ephemeralStorage), broken);
    expect(undecided).toHaveLength(1);
    const sound = toObjects(deployment(podSpec({ volumes: [{ name: "a" }] })));
    expect(evaluate(ephemeralStorage, parseRuleConfig(ephemeralStorage), sound).undecided).toEqual(
        [],
    );
});
