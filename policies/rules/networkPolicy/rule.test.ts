import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { LABELS, deployment, object, ofEachKind, podSpec } from "../../test/support/manifests.ts";
import { networkPolicy } from "./rule.ts";

const settings = { defaultDeny: true };
const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "search" } };
const policy = (spec: Json) =>
    object("networking.k8s.io/v1", "NetworkPolicy", { spec: { podSelector: {}, ...spec } });
const denied = policy({ policyTypes: ["Ingress", "Egress"] });
const out = (...egress: readonly Json[]) => policy({ policyTypes: ["Egress"], egress });
const port = (protocol: string, number: unknown) => ({ protocol, port: number });
const dns = out({ ports: [port("UDP", 53), port("TCP", 53)] });
const cache = {
    to: [{ podSelector: { matchLabels: { app: "cache" } } }],
    ports: [{ port: 6379 }],
};
const inward = policy({ ingress: [{ from: [{ podSelector: {} }] }] });
const onlyFor = (podSelector: Json) => policy({ podSelector, ingress: [{}] });
const { CronJob, DaemonSet } = ofEachKind(podSpec({ hostNetwork: true }));
const UNNAMED = "may connect to other pods but cannot resolve names: no egress to port";
const ANY = "53 or 5353 or dns or dns-tcp";
const AT = "(spec.template.spec)";

describeRule(networkPolicy, {
    compliant: {
        "a namespace that denies, and allows": {
            objects: [namespace, denied, dns, out(cache), inward, deployment()],
            settings,
        },
        "no policy at all, by default": { objects: [namespace, deployment()] },
        "a namespace without anything of the stack": { objects: [namespace], settings },
        "a denial by two policies": {
            objects: [
                namespace,
                policy({}),
                policy({ policyTypes: ["Egress"], egress: [] }),
                dns,
                deployment(),
            ],
            settings,
        },
        "pods that may send nothing, or to addresses only": {
            objects: [
                denied,
                deployment(),
                out({ to: [{ ipBlock: { cidr: "10.0.0.1/32" } }], ports: [{ port: 443 }] }),
            ],
        },
        "pods that may send anything anywhere": { objects: [out({}), deployment()] },
        "ports by range, by name, or of a protocol": {
            objects: [
                deployment(),
                out(cache, {
                    ports: [{ ...port("UDP", 1), endPort: 1000 }, port("TCP", "dns-tcp")],
                }),
                out(cache, { ports: [{ protocol: "TCP" }] }),
            ],
        },
        "pods of another namespace, or outside the stack": {
            objects: [
                onlyFor({ matchLabels: { app: "elsewhere" } }),
                { ...deployment(), metadata: { name: "one", namespace: "another" } },
            ],
        },
        "labels that pods get as they run": {
            objects: [
                deployment(),
                onlyFor({
                    matchLabels: { ...LABELS, tier: "a" },
                    matchExpressions: [{ key: "role", operator: "In", values: ["leader"] }],
                }),
            ],
        },
        "pods that an issuer makes": {
            objects: [
                deployment(),
                onlyFor({ matchExpressions: [{ key: "acme", operator: "Exists" }] }),
                object("cert-manager.io/v1", "Issuer"),
            ],
        },
        "pods of their node's network": {
            objects: [DaemonSet, CronJob, out(cache)],
            settings,
        },
    },
    violating: {
        "a namespace that denies nothing": {
            objects: [namespace, dns, inward, deployment()],
            settings,
            says: [
                "Namespace search: has no NetworkPolicy that denies Ingress and Egress for all pods (metadata.name)",
            ],
        },
        "one that the stack has no pods in, and lets something into": {
            objects: [namespace, policy({}), dns],
            settings,
            says: [
                "Namespace search: has no NetworkPolicy that denies Egress for all pods (metadata.name)",
            ],
        },
        "pods that nothing is said of": {
            objects: [denied, deployment(), ofEachKind(podSpec()).Job],
            settings,
            says: ["Deployment", "Job"].map(
                (kind) =>
                    `${kind} search/service: has no NetworkPolicy that allows any traffic ${AT}`,
            ),
        },
        "pods that may not ask for names": {
            objects: [out(cache), deployment()],
            says: [`Deployment search/service: ${UNNAMED} ${ANY} over UDP and TCP ${AT}`],
        },
        "pods that may ask for short ones only": {
            objects: [
                out(cache, { ports: [port("UDP", 53), { ...port("TCP", 54), endPort: 99 }] }),
                deployment(),
            ],
            settings: { dnsPorts: [53] },
            says: [`Deployment search/service: ${UNNAMED} 53 over TCP ${AT}`],
        },
        "a policy for no pod": {
            objects: [
                deployment(),
                onlyFor({ matchLabels: { "app.kubernetes.io/name": "servce" } }),
            ],
            says: ["NetworkPolicy search/service: selects no pod (spec.podSelector)"],
        },
    },
    needs: {
        case: "pods that may ask for short ones only",
        fields: [
            "0/spec/podSelector",
            "0/spec/egress/1/ports/1/port",
            "0/spec/policyTypes",
            "1/metadata/namespace",
        ],
    },
    ignores: {
        case: "pods that may ask for short ones only",
        fields: ["1/spec/replicas", "1/spec/template/spec/containers"],
    },
});
