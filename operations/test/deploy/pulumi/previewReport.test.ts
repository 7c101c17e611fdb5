import { describe, expect, test } from "@jest/globals";
import { summarizeEvents, keysOf, type Change } from "../../../deploy/pulumi/changes.ts";
import type { EngineEvent, StepMetadata } from "../../../deploy/pulumi/events.ts";
import { previewReport, headline } from "../../../deploy/pulumi/report.ts";

const STACK = "urn:pulumi:dev::property-search::pulumi:pulumi:Stack::property-search-dev";
const BLUE = "urn:pulumi:dev::property-search::property-search:index:EmbeddingServiceColour::blue";

const step = (metadata: Partial<StepMetadata> & { readonly name: string }): EngineEvent => {
    const { name, type = "kubernetes:core/v1:Service", ...rest } = metadata;
    const urn = `urn:pulumi:dev::property-search::${type}::${name}`;
    return { resourcePreEvent: { metadata: { op: "same", urn, type, ...rest } } };
};
const component: EngineEvent = {
    resourcePreEvent: {
        metadata: {
            op: "same",
            urn: BLUE,
            type: "property-search:index:EmbeddingServiceColour",
            new: { parent: STACK },
        },
    },
};
const object = (kind: string, name: string, more: object = {}) => ({
    parent: BLUE,
    inputs: { kind, metadata: { namespace: "blue", name }, ...more },
});

describe("the summary of a preview", () => {
    const findings = summarizeEvents([
        component,
        step({ name: "kept", new: object("Service", "kept") }),
        step({ name: "read", op: "refresh", new: object("Service", "read") }),
        step({ name: "made", op: "create", new: object("NetworkPolicy", "made") }),
        step({
            name: "scaled",
            op: "update",
            type: "kubernetes:apps/v1:Deployment",
            old: object("Deployment", "scaled", { spec: { replicas: 3, ports: [{ n: 1 }] } }),
            new: object("Deployment", "scaled", { spec: { replicas: 5, ports: [{ n: 2 }] } }),
            detailedDiff: {
                "spec.replicas": { diffKind: "update", inputDiff: true },
                "spec.ports[0].n": { diffKind: "update", inputDiff: true },
            },
        }),
        step({ name: "new", op: "replace", new: object("Job", "new") }),
        step({ name: "new", op: "create-replacement", new: object("Job", "new") }),
        step({ name: "new", op: "delete-replaced", old: object("Job", "new") }),
        {
            policyEvent: {
                policyName: "no-latest",
                message:
                    "<{%fg 1%}>Images are pinned.\nDeployment blue/scaled: the image has no tag (spec)\n" +
                    "Why: it may change.\nFix:\n    image: x:1<{%reset%}>",
                enforcementLevel: "mandatory",
                resourceUrn: "urn:pulumi:dev::p::t::scaled",
            },
        },
        { diagnosticEvent: { severity: "error", message: "twice\n" } },
        { diagnosticEvent: { severity: "error", message: "twice" } },
        { diagnosticEvent: { severity: "warning", message: "later", ephemeral: true } },
        { diagnosticEvent: { severity: "warning", message: "using pulumi-x from $PATH at /x" } },
    ]);

    test("has each change once, with its component and its properties", () => {
        const known = { component: "blue", properties: [] };
        expect(findings.changes).toEqual([
            { op: "create", kind: "NetworkPolicy", name: "blue/made", ...known },
            {
                op: "update",
                kind: "Deployment",
                name: "blue/scaled",
                component: "blue",
                properties: [
                    { path: "spec.ports[0].n", before: 1, after: 2 },
                    { path: "spec.replicas", before: 3, after: 5 },
                ],
            },
            { op: "replace", kind: "Job", name: "blue/new", ...known },
        ]);
        expect(findings.unchanged).toBe(1);
    });

    test("has each violation and each error once, without colour codes", () => {
        expect(findings.violations).toEqual([
            {
                policy: "no-latest",
                isMandatory: true,
                resource: "scaled",
                message: expect.stringMatching(
                    /^Images are pinned\.\nDeployment .*\n {4}image: x:1$/s,
                ),
            },
        ]);
        expect(findings.errors).toEqual(["twice"]);
        expect(findings.warnings).toEqual([]);
    });

    test("is reported from the headline to the differences", () => {
        const about = { stack: "dev", isDrift: false, isComplete: false };
        expect(previewReport(findings, about)).toBe(
            `Stack dev: 1 mandatory policy violations; 1 to create, 1 to update, 1 to replace, 1 unchanged

Errors:
  twice

Policies:
  mandatory: no-latest, scaled: Deployment blue/scaled: the image has no tag (spec)

Changes by component:
  blue: 1 to create, 1 to update, 1 to replace (Deployment, Job, NetworkPolicy)

Differences:
~ update Deployment blue/scaled (blue)
-   spec.ports[0].n: 1
+   spec.ports[0].n: 2
-   spec.replicas: 3
+   spec.replicas: 5
! replace Job blue/new (blue)
`,
        );
    });
});

const NOTHING = { changes: [], violations: [], errors: [], warnings: [], unchanged: 175 };
const update = (name: string, before: unknown, after: unknown): Change => ({
    op: "update",
    kind: "ConfigMap",
    name,
    component: "monitoring",
    properties: [{ path: "data.text", before, after }],
});

test.each([
    [{}, false, "Stack prod: no changes, 175 unchanged"],
    [{}, true, "Stack prod has not drifted: 175 objects unchanged"],
    [
        { changes: [update("one", 1, 2)] },
        true,
        "Stack prod has drifted; restoring it: 1 to update, 175 unchanged",
    ],
])("the headline is one sentence", (found, isDrift, words) => {
    const about = { stack: "prod", isDrift, isComplete: true };
    expect(headline({ ...NOTHING, ...found }, about)).toBe(words);
});

test("a failed comparison is never reported as unchanged", () => {
    const about = { stack: "prod", isDrift: true, isComplete: false };
    expect(headline({ ...NOTHING, errors: ["no cluster"] }, about)).toBe(
        "Stack prod: the comparison failed with 1 errors; until then no changes, 175 unchanged",
    );
});

test("only differing lines of a long text are shown", () => {
    const text = (line: string) => `${"same\n".repeat(1000)}${line}\n${"end\n".repeat(1000)}`;
    const changes = [update("dashboards", text("old"), text("new"))];
    const about = { stack: "prod", isDrift: false, isComplete: true };
    expect(previewReport({ ...NOTHING, changes }, about)).toContain(
        "~   data.text, from line 1001 on:\n-     old\n+     new\n",
    );
});

test.each([
    ["objects", { changes: Array.from({ length: 5000 }, (_, n) => update(`c${n}`, "a", "b")) }],
    ["one value", { changes: [update("c", "a", "b".repeat(1e6))] }],
    ["lines of one value", { changes: [update("c", "a\n", "b\n".repeat(1e5))] }],
    ["errors", { errors: Array.from({ length: 5000 }, (_, n) => `e${n} ${"x".repeat(5000)}`) }],
    [
        "violations",
        {
            violations: Array.from({ length: 5000 }, (_, n) => ({
                policy: `p${n}`,
                isMandatory: true,
                resource: "r",
                message: "m".repeat(5000),
            })),
        },
    ],
    [
        "components",
        {
            changes: Array.from({ length: 5000 }, (_, n) => ({
                ...update("c", "a", "b"),
                component: `part ${n} ${"x".repeat(300)}`,
            })),
        },
    ],
])("the report is bounded for any amount of %s", (_, found) => {
    const about = { stack: "prod", isDrift: false, isComplete: true };
    const text = previewReport({ ...NOTHING, ...found }, about);
    expect(text.length).toBeLessThanOrEqual(12_000);
    expect(text.split("\n").length).toBeLessThan(600);
    expect(text).toMatch(/^Stack prod: /);
    expect(text).toMatch(/…/);
});

test("an error has the reason from its end, and names instead of URNs", () => {
    const reason = "uses the image docker.io/other/service; allowed: localhost/*, docker.io/prom/*";
    const message =
        `Preview failed: resource "${BLUE.replace("::blue", "$kubernetes:apps/v1:Deployment::blue-deployment")}" was ` +
        "not successfully created by the Kubernetes API server: deployments.apps is forbidden: " +
        `${"ValidatingAdmissionPolicy 'image-registry' denied request: ".repeat(5)}${reason}`;
    const findings = summarizeEvents([
        { diagnosticEvent: { severity: "error", message } },
        {
            diagnosticEvent: {
                severity: "error",
                message: "failed to run remediation: context canceled",
            },
        },
    ]);
    expect(findings.errors).toHaveLength(1);
    const text = previewReport(findings, { stack: "dev", isDrift: false, isComplete: false });
    expect(text).toContain('Preview failed: resource "blue-deployment" was not');
    expect(text).toContain(`${reason}\n`);
});

test("inputs are compared if the provider reports no differences", () => {
    const was = { spec: { replicas: 3, ports: [1, 2], gone: true } };
    const will = { spec: { replicas: 3, ports: [1, 3] } };
    const { changes } = summarizeEvents([
        step({
            name: "one",
            op: "update",
            old: object("Service", "one", was),
            new: object("Service", "one", will),
        }),
    ]);
    expect(changes[0]?.properties).toEqual([
        { path: "spec.ports.1", before: 2, after: 3 },
        { path: "spec.gone", before: true, after: undefined },
    ]);
});

test("a path is split into its parts", () => {
    expect(keysOf('spec.a[0].b["c.d/e"].f')).toEqual(["spec", "a", "0", "b", "c.d/e", "f"]);
});
