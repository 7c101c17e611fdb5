import { expect, test } from "@jest/globals";
import { serviceSelector } from "../rules/serviceSelector/rule.ts";
import { deployment, object } from "../test/support/manifests.ts";
import { objectsOf, objectsOfResource, type Json } from "./object.ts";
import { Stack } from "./stack.ts";

const stack = (...objects: readonly Json[]) => new Stack(objects.flatMap(objectsOf));
const labelled = (labels: Json) => ({ matchLabels: labels });

test.each([
    ["pods", [deployment()], true],
    ["no pods", [object("v1", "Service")], false],
    [
        "pods, and what Kubernetes and KEDA have",
        [deployment(), object("keda.sh/v1alpha1", "ScaledObject")],
        true,
    ],
    ["pods, and what makes others", [deployment(), object("example.com/v1", "Database")], false],
    [
        "pods, and a Gateway's proxy",
        [deployment(), object("gateway.networking.k8s.io/v1", "Gateway")],
        false,
    ],
])("a namespace with %s", (_, objects, isWhole) => {
    expect(stack(...objects).isWhole("search")).toBe(isWhole);
});

test("a selector is lost where the labels of every pod say otherwise", () => {
    const isLost = (labels: Json) => stack(deployment()).isLost("search", labelled(labels));
    expect(isLost({ "app.kubernetes.io/name": "service" })).toBe(false);
    expect(isLost({ "app.kubernetes.io/name": "service", role: "leader" })).toBe(false);
    expect(isLost({ "statefulset.kubernetes.io/pod-name": "service-0" })).toBe(false);
    expect(isLost({ "app.kubernetes.io/name": "servce" })).toBe(true);
    expect(isLost({ role: "leader" })).toBe(true);
});

test("a Patch is of somebody else's object: no pods of the stack, and no subject of its rules", () => {
    const patches = [
        ...objectsOfResource("kubernetes:apps/v1:DeploymentPatch", deployment()),
        ...objectsOfResource("kubernetes:core/v1:ServicePatch", object("v1", "Service")),
    ];
    const patched = new Stack(patches);
    expect(patched.pods).toEqual([]);
    expect(patched.isWhole("search")).toBe(false);
    expect(patches.flatMap((patch) => [...serviceSelector.subjects(patch)])).toEqual([]);
});
