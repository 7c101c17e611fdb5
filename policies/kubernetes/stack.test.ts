import { expect, test } from "@jest/globals";
import { serviceSelector } from "../rules/serviceSelector/rule.ts";
import { deployment, object } from "../test/support/manifests.ts";
import { toObjects, resourceToObjects, type Json } from "./object.ts";
import { Stack } from "./stack.ts";

const stack = (...objects: readonly Json[]) => new Stack(objects.flatMap(toObjects));
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
])("a namespace with %s", (_, objects, isComplete) => {
    expect(stack(...objects).isComplete("search")).toBe(isComplete);
});

test("a selector is lost where the labels of every pod say otherwise", () => {
    const selectsNothing = (labels: Json) =>
        stack(deployment()).selectsNothing("search", labelled(labels));
    expect(selectsNothing({ "app.kubernetes.io/name": "service" })).toBe(false);
    expect(selectsNothing({ "app.kubernetes.io/name": "service", role: "leader" })).toBe(false);
    expect(selectsNothing({ "statefulset.kubernetes.io/pod-name": "service-0" })).toBe(false);
    expect(selectsNothing({ "app.kubernetes.io/name": "servce" })).toBe(true);
    expect(selectsNothing({ role: "leader" })).toBe(true);
});

test("a Patch describes another owner's object: no pods of the stack, and no subject of its rules", () => {
    const patches = [
        ...resourceToObjects("kubernetes:apps/v1:DeploymentPatch", deployment()),
        ...resourceToObjects("kubernetes:core/v1:ServicePatch", object("v1", "Service")),
    ];
    const patched = new Stack(patches);
    expect(patched.pods).toEqual([]);
    expect(patched.isComplete("search")).toBe(false);
    expect(patches.flatMap((patch) => [...serviceSelector.subjects(patch)])).toEqual([]);
});
