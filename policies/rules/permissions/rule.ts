import { Type } from "typebox";
import { cel, matchesAny, said, words } from "../../cel/cel.ts";
import { glob } from "../../cel/glob.ts";
import { stackRule, type Admission, type Finding } from "../../engine/rule.ts";
import { json, list, type Json, type KubernetesObject } from "../../kubernetes/object.ts";

const ROLES = ["Role", "ClusterRole"];
const BINDINGS = ["RoleBinding", "ClusterRoleBinding"];
const FIELDS = ["apiGroups", "resources", "verbs", "nonResourceURLs"] as const;
/** Verbs that allow privilege escalation (https://kubernetes.io/docs/concepts/security/rbac-good-practices/). */
const ESCALATING = ["escalate", "bind", "impersonate"];
const WILDCARDS = ["*", "*/*"];
const BOUND = "roleRef.name";

const gives = words((where, subjects) => said`grants cluster-admin in ${where} to ${subjects}`);
const all = (field: string) => `allows all ${field} with a wildcard`;
const escalates = words((verb) => said`allows ${verb}, which permits privilege escalation`);
/** The subjects of a binding in CEL. */
const SUBJECTS = cel`object.?subjects.orValue([]) == [] ? 'no subject' : object.subjects.map(s, s.kind + ' ' + s.name).join(', ')`;

export const permissions = stackRule({
    name: "permissions",
    title: "Roles contain no wildcards or escalating verbs, and no binding grants cluster-admin.",
    why: "A wildcard also covers resources that are added to the API later, and an attacker in such a pod controls the whole cluster.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege",
    framework: {
        name: "OWASP Kubernetes Top Ten",
        version: "2022",
        reference: "K03",
        specification: "Overly permissive RBAC configurations",
    },
    settings: {
        wildcardRoles: Type.Array(Type.String(), {
            default: [],
            description:
                "globs of roles that may contain wildcards, such as the role of a generic autoscaler",
        }),
    },
    kinds: [...ROLES, ...BINDINGS],
    *check(object, _, { wildcardRoles }) {
        if (BINDINGS.includes(object.kind)) yield* ofBinding(object);
        else if (!wildcardRoles.some((one) => glob(one, object.name))) yield* ofRole(object);
    },
    admits: "roles",
    admission: ({ wildcardRoles }) => {
        const isWide = matchesAny(wildcardRoles, cel`variables.name`);
        const rule = cel`object.kind != 'Role' || ${isWide} ? [] : object.?rules.orValue([])`;
        const fieldOf = (field: string) => ({ cel: `rule.?${field}.orValue([])` });
        const at = (field: string) => said`rules[${cel`object.rules.indexOf(rule)`}].${field}`;
        return [
            {
                of: "object",
                violated: cel`object.kind == 'RoleBinding' && object.roleRef.name == 'cluster-admin'`,
                what: gives("its namespace", SUBJECTS),
                at: BOUND,
            },
            ...FIELDS.map((field): Admission => {
                const violated = cel`${fieldOf(field)}.exists(one, one in ${WILDCARDS})`;
                return { of: "object", each: { rule }, violated, what: all(field), at: at(field) };
            }),
            {
                of: "object",
                each: { rule, verb: cel`rule.verbs.filter(one, one in ${ESCALATING})` },
                what: escalates(cel`verb`),
                at: at("verbs"),
            },
        ];
    },
    unsaid: "ClusterRoles and their bindings, since the policies select objects by namespace",
});

function* ofBinding({ body, kind }: KubernetesObject): Generator<Finding> {
    const { name } = json(body.roleRef);
    if (name !== "cluster-admin") return;
    const subjects = list(body.subjects).map((one) => `${String(one.kind)} ${String(one.name)}`);
    const where = kind === "ClusterRoleBinding" ? "the cluster" : "its namespace";
    const what = gives(where, subjects.join(", ") || "no subject");
    yield { what, at: BOUND, fix: { roleRef: { kind: "Role", name: "ROLE" } } };
}

function* ofRole({ body }: KubernetesObject): Generator<Finding> {
    for (const [index, rule] of list(body.rules).entries()) {
        for (const field of FIELDS) {
            if (!textsOf(rule, field).some((one) => WILDCARDS.includes(one))) continue;
            yield {
                what: all(field),
                at: `rules[${index}].${field}`,
                fix: { [field]: [examples[field]] },
            };
        }
        for (const verb of textsOf(rule, "verbs").filter((one) => ESCALATING.includes(one))) {
            yield { what: escalates(verb), at: `rules[${index}].verbs`, fix: `# without ${verb}` };
        }
    }
}

const examples = {
    apiGroups: "apps",
    resources: "deployments",
    verbs: "get",
    nonResourceURLs: "/metrics",
};

function textsOf(rule: Json, field: string): readonly string[] {
    const value = rule[field];
    return Array.isArray(value) ? value.map(String) : [];
}
