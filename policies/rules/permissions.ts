import { Type } from "typebox";
import { glob } from "../core/glob.ts";
import { json, list, type Json, type KubernetesObject } from "../core/object.ts";
import { stackRule, type Finding } from "../core/rule.ts";

const ROLES = ["Role", "ClusterRole"];
const BINDINGS = ["RoleBinding", "ClusterRoleBinding"];
const FIELDS = ["apiGroups", "resources", "verbs", "nonResourceURLs"] as const;
/** By these somebody gets what nobody gave them (https://kubernetes.io/docs/concepts/security/rbac-good-practices/). */
const ESCALATING = ["escalate", "bind", "impersonate"];

export const permissions = stackRule({
    name: "permissions",
    title: "Roles name what they allow, and nobody is bound to cluster-admin.",
    why: "A wildcard allows what is added to the API later too, and whoever takes over a pod with it has the whole cluster.",
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
        wide: Type.Array(Type.String(), {
            default: [],
            description:
                "globs of roles that may have wildcards, such as an autoscaler's of any kind",
        }),
    },
    kinds: [...ROLES, ...BINDINGS],
    *check(object, _, { wide }) {
        if (BINDINGS.includes(object.kind)) yield* ofBinding(object);
        else if (!wide.some((one) => glob(one, object.name))) yield* ofRole(object);
    },
    unsaid: "since it is said of pods and of what makes them only, and most roles are of no namespace",
});

function* ofBinding({ body, kind }: KubernetesObject): Generator<Finding> {
    const { name } = json(body.roleRef);
    if (name !== "cluster-admin") return;
    const subjects = list(body.subjects).map((one) => `${String(one.kind)} ${String(one.name)}`);
    const where = kind === "ClusterRoleBinding" ? "the cluster" : "its namespace";
    const what = `gives all of ${where} to ${subjects.join(", ") || "nobody yet"}, by cluster-admin`;
    yield { what, at: "roleRef.name", fix: { roleRef: { kind: "Role", name: "ROLE" } } };
}

function* ofRole({ body }: KubernetesObject): Generator<Finding> {
    for (const [index, rule] of list(body.rules).entries()) {
        for (const field of FIELDS) {
            if (!textsOf(rule, field).some((one) => one === "*" || one === "*/*")) continue;
            const what = `allows every one of ${field}, by *`;
            yield { what, at: `rules[${index}].${field}`, fix: { [field]: [examples[field]] } };
        }
        for (const verb of textsOf(rule, "verbs").filter((one) => ESCALATING.includes(one))) {
            const what = `allows to ${verb}, by which one gets what nobody gave`;
            yield { what, at: `rules[${index}].verbs`, fix: `# without ${verb}` };
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
