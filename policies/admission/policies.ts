import { LABELS, PART_OF } from "@property-search/contract";
import type { Cel } from "../cel/cel.ts";
import { parseRuleConfig, type StackPolicies } from "../engine/config.ts";
import { hasExpired } from "../engine/exemptions.ts";
import type { AdmissionScope, Rule } from "../engine/rule.ts";
import type { Json } from "../kubernetes/object.ts";
import { matchesExemption, violationMessages, POD_VARIABLES, VARIABLES } from "./expressions.ts";
import { exclusionConditions, type MatchCondition } from "./exclusions.ts";

interface Header {
    readonly apiVersion: string;
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}

/** A ValidatingAdmissionPolicy or its binding. */
export type AdmissionObject = Header &
    (
        | { readonly kind: "ValidatingAdmissionPolicy"; readonly spec: Json }
        | {
              readonly kind: "ValidatingAdmissionPolicyBinding";
              readonly spec: Json & {
                  readonly policyName: string;
                  readonly validationActions: string[];
              };
          }
    );

/**
 * Objects of controllers are checked on creation only. An update changes almost nothing, and rejecting it would
 * prevent a controller from scaling down objects that are older than a rule.
 */
const ON_CREATE = [
    { apiGroups: [""], apiVersions: ["v1"], resources: ["pods", "replicationcontrollers"] },
    { apiGroups: ["apps"], apiVersions: ["v1"], resources: ["replicasets"] },
    { apiGroups: ["batch"], apiVersions: ["v1"], resources: ["jobs"] },
];
const ON_CREATE_AND_UPDATE = [
    {
        apiGroups: ["apps"],
        apiVersions: ["v1"],
        resources: ["deployments", "statefulsets", "daemonsets"],
    },
    { apiGroups: ["batch"], apiVersions: ["v1"], resources: ["cronjobs"] },
    { apiGroups: ["argoproj.io"], apiVersions: ["v1alpha1"], resources: ["rollouts"] },
];

const ROLES = {
    apiGroups: ["rbac.authorization.k8s.io"],
    apiVersions: ["v1"],
    resources: ["roles", "rolebindings"],
};

/** Objects and operations that a policy matches, and its variables. Unchanged objects are not checked. */
const SUBJECTS: Readonly<
    Record<
        AdmissionScope,
        {
            readonly resourceRules: readonly object[];
            readonly matchConditions: readonly MatchCondition[];
            readonly variables: Readonly<Record<string, Cel>>;
        }
    >
> = {
    pods: {
        resourceRules: [
            ...ON_CREATE.map((one) => ({ ...one, operations: ["CREATE"] })),
            ...ON_CREATE_AND_UPDATE.map((one) => ({ ...one, operations: ["CREATE", "UPDATE"] })),
        ],
        matchConditions: [
            {
                name: "changed",
                expression: "request.operation == 'CREATE' || object.spec != oldObject.spec",
            },
            // A Rollout that refers to a workload has no template.
            {
                name: "pods",
                expression: "object.kind != 'Rollout' || has(object.spec.template)",
            },
        ],
        variables: { ...VARIABLES, ...POD_VARIABLES },
    },
    roles: {
        resourceRules: [{ ...ROLES, operations: ["CREATE", "UPDATE"] }],
        matchConditions: [
            {
                name: "changed",
                expression: [
                    "request.operation == 'CREATE'",
                    ...["rules", "subjects"].map(
                        (field) =>
                            `object.?${field}.orValue([]) != oldObject.?${field}.orValue([])`,
                    ),
                ].join(" || "),
            },
        ],
        variables: VARIABLES,
    },
};

/**
 * Converts the rules that CEL can express to admission policies, which apply to every client; Pulumi's policies only
 * see changes through Pulumi. Mandatory rules deny, advisory rules warn. CEL has no current date here, so an expired
 * exemption is removed when the policies are generated again.
 */
export function toAdmissionPolicies(
    rules: readonly Rule[],
    policies: StackPolicies,
    now = new Date(),
): AdmissionObject[] {
    return rules.flatMap((rule) => {
        const config = parseRuleConfig(rule, policies[rule.name]);
        if (!rule.admission || config.level === "disabled") return [];
        const exempt = config.exempt.filter((one) => !hasExpired(one, now));
        const checks = rule
            .admission(config.settings as never)
            .filter(({ enabled = true }) => enabled);
        if (checks.length === 0) return [];
        const violations = checks.map(
            (one, index) => [`violations${index}`, violationMessages(one, exempt)] as const,
        );
        const exemptObjects = exempt.filter(({ container }) => container === undefined);
        const { resourceRules, matchConditions, variables } =
            SUBJECTS[rule.admissionScope ?? "pods"];
        const header: Header = {
            apiVersion: "admissionregistration.k8s.io/v1",
            metadata: { name: `${PART_OF}-${rule.name}`, labels: { [LABELS.partOf]: PART_OF } },
        };
        const policy: AdmissionObject = {
            ...header,
            kind: "ValidatingAdmissionPolicy",
            spec: {
                failurePolicy: "Fail",
                matchConstraints: { resourceRules },
                matchConditions: [
                    ...matchConditions,
                    ...exclusionConditions(rule.name),
                    ...exemptObjects.map((one, index) => ({
                        name: `exempt-${index}`,
                        expression: `!(${matchesExemption(one).cel})`,
                    })),
                ],
                variables: [...Object.entries(variables), ...violations].map(([name, { cel }]) => ({
                    name,
                    expression: cel,
                })),
                validations: violations.map(([name]) => ({
                    expression: `size(variables.${name}) == 0`,
                    messageExpression: `variables.${name}.join('; ')`,
                    message: rule.title,
                    reason: "Invalid",
                })),
            },
        };
        const binding: AdmissionObject = {
            ...header,
            kind: "ValidatingAdmissionPolicyBinding",
            spec: {
                policyName: header.metadata.name,
                validationActions: config.level === "advisory" ? ["Warn"] : ["Deny"],
                matchResources: {
                    namespaceSelector: { matchLabels: { [LABELS.partOf]: PART_OF } },
                },
            },
        };
        return [policy, binding];
    });
}
