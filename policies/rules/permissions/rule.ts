import { Type } from "typebox";
import { cel, matchesAny, message, template } from "../../cel/cel.ts";
import { matchesGlob } from "../../cel/glob.ts";
import { stackRule, owasp, type AdmissionCheck, type Finding } from "../../engine/rule.ts";
import { asJson, asList, type Json, type KubernetesObject } from "../../kubernetes/object.ts";

const ROLES = ["Role", "ClusterRole"];
const BINDINGS = ["RoleBinding", "ClusterRoleBinding"];
const FIELDS = ["apiGroups", "resources", "verbs", "nonResourceURLs"] as const;
/** Verbs that allow privilege escalation (https://kubernetes.io/docs/concepts/security/rbac-good-practices/). */
const ESCALATING = ["escalate", "bind", "impersonate"];
const WILDCARDS = ["*", "*/*"];
const BOUND = "roleRef.name";

const grantsClusterAdmin = template(
    (where, subjects) => message`grants cluster-admin in ${where} to ${subjects}`,
);
const allowsAll = (field: string) => `allows all ${field} with a wildcard`;
const allowsEscalation = template(
    (verb) => message`allows ${verb}, which permits privilege escalation`,
);
/** The subjects of a binding in CEL. */
const SUBJECTS = cel`object.?subjects.orValue([]) == [] ? 'no subject' : object.subjects.map(s, s.kind + ' ' + s.name).join(', ')`;

export const permissions = stackRule({
    name: "permissions",
    title: "Roles contain no wildcards or escalating verbs, and no binding grants cluster-admin.",
    why: "A wildcard also covers resources that are added to the API later, and an attacker in such a pod controls the whole cluster.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege",
    framework: owasp("K03", "Overly permissive RBAC configurations"),
    settings: {
        wildcardRoles: Type.Array(Type.String(), {
            default: [],
            description:
                "globs of roles that may contain wildcards, such as the role of a generic autoscaler",
        }),
    },
    kinds: [...ROLES, ...BINDINGS],
    *check(object, _, { wildcardRoles }) {
        if (BINDINGS.includes(object.kind)) yield* checkBinding(object);
        else if (!wildcardRoles.some((one) => matchesGlob(one, object.name)))
            yield* checkRole(object);
    },
    admissionScope: "roles",
    admission: ({ wildcardRoles }) => {
        const isWide = matchesAny(wildcardRoles, cel`variables.name`);
        const rule = cel`object.kind != 'Role' || ${isWide} ? [] : object.?rules.orValue([])`;
        const fieldOf = (field: string) => ({ cel: `rule.?${field}.orValue([])` });
        const pathOf = (field: string) =>
            message`rules[${cel`object.rules.indexOf(rule)`}].${field}`;
        return [
            {
                target: "object",
                violated: cel`object.kind == 'RoleBinding' && object.roleRef.name == 'cluster-admin'`,
                message: grantsClusterAdmin("its namespace", SUBJECTS),
                path: BOUND,
            },
            ...FIELDS.map((field): AdmissionCheck => {
                const violated = cel`${fieldOf(field)}.exists(one, one in ${WILDCARDS})`;
                return {
                    target: "object",
                    each: { rule },
                    violated,
                    message: allowsAll(field),
                    path: pathOf(field),
                };
            }),
            {
                target: "object",
                each: { rule, verb: cel`rule.verbs.filter(one, one in ${ESCALATING})` },
                message: allowsEscalation(cel`verb`),
                path: pathOf("verbs"),
            },
        ];
    },
    admissionGap: "ClusterRoles and their bindings, since the policies select objects by namespace",
});

function* checkBinding({ body, kind }: KubernetesObject): Generator<Finding> {
    const { name } = asJson(body.roleRef);
    if (name !== "cluster-admin") return;
    const subjects = asList(body.subjects).map((one) => `${String(one.kind)} ${String(one.name)}`);
    const where = kind === "ClusterRoleBinding" ? "the cluster" : "its namespace";
    const message = grantsClusterAdmin(where, subjects.join(", ") || "no subject");
    yield { message, path: BOUND, fix: { roleRef: { kind: "Role", name: "ROLE" } } };
}

function* checkRole({ body }: KubernetesObject): Generator<Finding> {
    for (const [index, rule] of asList(body.rules).entries()) {
        for (const field of FIELDS) {
            if (!listStrings(rule, field).some((one) => WILDCARDS.includes(one))) continue;
            yield {
                message: allowsAll(field),
                path: `rules[${index}].${field}`,
                fix: { [field]: [examples[field]] },
            };
        }
        for (const verb of listStrings(rule, "verbs").filter((one) => ESCALATING.includes(one))) {
            yield {
                message: allowsEscalation(verb),
                path: `rules[${index}].verbs`,
                fix: `# without ${verb}`,
            };
        }
    }
}

const examples = {
    apiGroups: "apps",
    resources: "deployments",
    verbs: "get",
    nonResourceURLs: "/metrics",
};

function listStrings(rule: Json, field: string): readonly string[] {
    const value = rule[field];
    return Array.isArray(value) ? value.map(String) : [];
}
