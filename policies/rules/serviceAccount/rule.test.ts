import fc from "fast-check";
import { describeRemediation } from "../../test/support/describeRemediation.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { deployment, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { serviceAccount } from "./rule.ts";

const of = (serviceAccountName?: string, automountServiceAccountToken?: boolean) =>
    podSpec({ serviceAccountName, automountServiceAccountToken });
const AT = "automountServiceAccountToken";
const DEFAULT = "mounts a token of the namespace's default service account";
const { Pod, CronJob } = ofEachKind(of());

describeRule(serviceAccount, {
    compliant: {
        "no token": {
            objects: [
                deployment(),
                deployment(of(undefined, false)),
                deployment(of("default", false)),
            ],
            settings: { tokens: [] },
        },
        "a token of an account of its own": {
            objects: [
                deployment(of("prometheus")),
                deployment(of("keda-operator", true)),
                deployment(
                    podSpec({ ...of(), serviceAccount: "old", serviceAccountName: undefined }),
                ),
            ],
        },
        "a token of one that needs it": {
            objects: [deployment(of("prometheus", true))],
            settings: { tokens: ["prom*"] },
        },
    },
    violating: {
        "a token of the default account, named or not": {
            objects: [deployment(of("default")), deployment(of(undefined, true)), Pod, CronJob],
            says: [
                `Deployment search/service: ${DEFAULT} (spec.template.spec.${AT})`,
                `Deployment search/service: ${DEFAULT} (spec.template.spec.${AT})`,
                `Pod search/service: ${DEFAULT} (spec.${AT})`,
                `CronJob search/service: ${DEFAULT} (spec.jobTemplate.spec.template.spec.${AT})`,
            ],
        },
        "a token of one that does not need it": {
            objects: [deployment(of("grafana"))],
            settings: { tokens: ["prometheus", "kube-*"] },
            says: [
                `Deployment search/service: mounts a token of grafana; allowed: prometheus, kube-* (spec.template.spec.${AT})`,
            ],
        },
        "any token, if none is allowed": {
            objects: [deployment(of("grafana", true))],
            settings: { tokens: [] },
            says: [
                `Deployment search/service: mounts a token of grafana; allowed: none (spec.template.spec.${AT})`,
            ],
        },
    },
    needs: {
        case: "any token, if none is allowed",
        fields: [
            "0/spec/template/spec",
            `0/spec/template/spec/${AT}`,
            "0/spec/template/spec/serviceAccountName",
        ],
    },
    ignores: {
        case: "any token, if none is allowed",
        fields: ["0/metadata", "0/spec/template/metadata", "0/spec/template/spec/containers"],
    },
});

const name = fc.constantFrom(undefined, "", "default", "grafana");
describeRemediation(serviceAccount, {
    pods: name.map((one) => of(one)),
});
describeRemediation(serviceAccount, {
    pods: fc.tuple(name, fc.constantFrom(undefined, true, false)).map((all) => of(...all)),
    settings: { tokens: [] },
    // The field was set, or the account is not the default one.
    left: [/mounts a token/],
});
