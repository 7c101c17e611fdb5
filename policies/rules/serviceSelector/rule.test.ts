import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import {
    LABELS,
    container,
    deployment,
    object,
    ofEachKind,
    podSpec,
} from "../../test/support/manifests.ts";
import { serviceSelector } from "./rule.ts";

const service = (spec: Json) => object("v1", "Service", { spec: { selector: LABELS, ...spec } });
const to = (targetPort: unknown, more: Json = {}) =>
    service({ ports: [{ port: 80, targetPort, ...more }] });
const elsewhere = { selector: { app: "elsewhere" } };
const operator = object("monitoring.coreos.com/v1", "Alertmanager");
const { StatefulSet, Rollout, Job, DaemonSet } = ofEachKind(podSpec());
const other = (kind: Json) => ({
    ...kind,
    spec: { ...(kind.spec as Json), selector: { matchLabels: { ...LABELS, tier: "cache" } } },
});
const proxied = deployment(
    podSpec({
        initContainers: [
            container({
                name: "proxy",
                restartPolicy: "Always",
                ports: [
                    { name: "proxy", containerPort: 9090 },
                    { name: "dns", containerPort: 53, protocol: "UDP" },
                ],
            }),
        ],
    }),
);
const HAS = "which none of its pods' containers has; available:";

describeRule(serviceSelector, {
    compliant: {
        "a port by name": { objects: [deployment(), to("http")] },
        "a port by number, and by its own": {
            objects: [deployment(), to(8080), service({ ports: [{ port: 8080 }] })],
            settings: { requireDeclaredPorts: true },
        },
        "an undeclared number, by default": { objects: [deployment(), to(9666)] },
        "ports of a sidecar": {
            objects: [proxied, to("proxy"), to("dns", { protocol: "UDP" })],
        },
        "a port that only some of its pods have": {
            objects: [
                ofEachKind(podSpec({}, container({ ports: undefined }))).CronJob,
                deployment(),
                to("http"),
            ],
        },
        "one with externally managed endpoints": {
            objects: [
                deployment(),
                object("v1", "Service", { spec: { ports: [{ port: 80 }] } }),
                service({ selector: {} }),
                service({ type: "ExternalName", ...elsewhere }),
            ],
        },
        "pods outside the stack": { objects: [service(elsewhere)] },
        "pods of another namespace": {
            objects: [
                service(elsewhere),
                { ...deployment(), metadata: { name: "one", namespace: "another" } },
            ],
        },
        "pods that an operator creates": { objects: [deployment(), operator, service(elsewhere)] },
        "pods of the cluster itself": {
            objects: [deployment(), service(elsewhere)].map((one) => ({
                ...one,
                metadata: { name: "one", namespace: "kube-system" },
            })),
        },
        "labels that pods get as they run": {
            objects: [
                deployment(),
                service({ selector: { ...LABELS, role: "leader" } }),
                service({ selector: { "statefulset.kubernetes.io/pod-name": "service-0" } }),
            ],
        },
        "what has no selector of its own": { objects: [Job] },
    },
    violating: {
        "no pod that it selects": {
            objects: [
                deployment(),
                service({ selector: { "app.kubernetes.io/name": "servce" } }),
                service({ selector: { "app.kubernetes.io/nam": "service" } }),
            ],
            says: [0, 1].map(() => "Service search/service: selects no pod (spec.selector)"),
        },
        "a port by a name that no container has": {
            objects: [proxied, to("https")],
            says: [
                `Service search/service: forwards port 80 to https, ${HAS} proxy, http (spec.ports[0].targetPort)`,
            ],
        },
        "a name of the other protocol": {
            objects: [proxied, to("proxy", { protocol: "UDP" })],
            says: [
                `Service search/service: forwards port 80 to proxy, ${HAS} dns (spec.ports[0].targetPort)`,
            ],
        },
        "a number that none declares, where all have to be": {
            objects: [ofEachKind(podSpec({}, container({ ports: [] }))).Deployment, to(9666)],
            settings: { requireDeclaredPorts: true },
            says: [
                `Service search/service: forwards port 80 to 9666, ${HAS} none (spec.ports[0].targetPort)`,
            ],
        },
        "a workload that does not select its own pods": {
            objects: [deployment(), StatefulSet, Rollout, DaemonSet].map(other),
            says: ["Deployment", "StatefulSet", "Rollout", "DaemonSet"].map(
                (kind) =>
                    `${kind} search/service: has a selector that does not match its own pods (spec.selector)`,
            ),
        },
    },
    needs: {
        case: "a port by a name that no container has",
        fields: [
            "1/spec/selector",
            "1/spec/ports/0/targetPort",
            "0/spec/template/spec/containers/0/ports/0/name",
            "0/spec/template/metadata/labels/app.kubernetes.io~1name",
        ],
    },
    ignores: {
        case: "a port by a name that no container has",
        fields: ["0/spec/template/spec/containers/0/image", "0/spec/replicas", "1/metadata/name"],
    },
});
