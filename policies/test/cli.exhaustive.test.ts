import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { addPulumiToPath } from "../../local/src/toolchain/pulumi.ts";
import { deploymentsOf, openCli, OUR_PACK, TEST_PACK, type Cli } from "./support/cli.ts";
import { secretly } from "./support/sdk.ts";

// The real CLI takes seconds for a preview.
jest.setTimeout(600_000);

/** Of our rules, one that looks at each object is enough. */
const ONE_RULE = {
    all: "disabled",
    "readiness-probe": "mandatory",
    exemptions: "advisory",
    "expired-exemptions": "mandatory",
};
const WHAT = "has ports and no readinessProbe";
const bare = { name: "service", image: "service:v1", ports: [{ containerPort: 8080 }] };
const probed = { ...bare, readinessProbe: { httpGet: { path: "/readyz", port: 8080 } } };

let cli: Cli;

beforeAll(async () => {
    await addPulumiToPath();
    cli = await openCli();
});

afterAll(() => cli.close());

describe("our pack", () => {
    test("fails a preview on a mandatory violation, and reports object, reason and fix", async () => {
        const program = deploymentsOf({ bare, probed });
        const { succeeded, text } = await cli.preview(program, OUR_PACK, ONE_RULE);
        expect(text).toContain(
            `Deployment search/bare, container service: ${WHAT} (spec.template.spec.containers[service].readinessProbe)`,
        );
        expect(text).toMatch(
            /\[mandatory\].*readiness-probe.*kubernetes:apps\/v1:Deployment: bare/,
        );
        expect(text).toMatch(/Why: Without one, .*\n\s+Fix:\n\s+readinessProbe:\n\s+httpGet:/);
        expect(text).not.toContain("search/probed");
        expect(succeeded).toBe(false);
    });

    test("only reports what the stack sets to advisory", async () => {
        const config = { ...ONE_RULE, "readiness-probe": { enforcementLevel: "advisory" } };
        const { succeeded, text } = await cli.preview(deploymentsOf({ bare }), OUR_PACK, config);
        expect(text).toMatch(/\[advisory\].*readiness-probe/);
        expect(text).toContain(WHAT);
        expect(succeeded).toBe(true);
    });

    test("reports exemptions, and fails on an expired one", async () => {
        const exempt = (expires: string) => ({
            ...ONE_RULE,
            "readiness-probe": {
                enforcementLevel: "mandatory",
                exempt: [{ workload: "bare", reason: "has no way to answer", expires }],
            },
        });
        const program = deploymentsOf({ bare, probed });
        const holds = await cli.preview(program, OUR_PACK, exempt("2999-01-01"));
        expect(holds.text).toContain(
            "readiness-probe for */bare, container * is valid until 2999-01-01: has no way to answer (Deployment search/bare, container service)",
        );
        expect(holds.text).not.toContain(WHAT);
        expect(holds.succeeded).toBe(true);
        const over = await cli.preview(program, OUR_PACK, exempt("2025-01-01"));
        expect(over.text).toContain("The exemption expired on 2025-01-01: has no way to answer");
        expect(over.text).toMatch(/\[mandatory\].*expired-exemptions/);
        expect(over.succeeded).toBe(false);
    });

    test("leaves unknown values undecided, and reports everything else", async () => {
        const program: pulumi.automation.PulumiFn = async () => {
            const made = new kubernetes.core.v1.Namespace("made", { metadata: { name: "made" } });
            const ports = made.id.apply(() => []);
            await deploymentsOf({ bare, unknown: { ...bare, ports } })();
        };
        const { succeeded, text } = await cli.preview(program, OUR_PACK, ONE_RULE);
        expect(text).toMatch(/\[advisory\].*readiness-probe.*Deployment: unknown/);
        expect(text).toContain("containers.0.ports can't be known during preview");
        expect(text).toContain(`Deployment search/bare, container service: ${WHAT}`);
        expect(succeeded).toBe(false);
    });

    test("rejects an invalid config", async () => {
        const program = deploymentsOf({ probed });
        const config = { "memory-limit": { ratio: "much" } };
        const { succeeded, text } = await cli.preview(program, OUR_PACK, config);
        expect(text).toContain(
            "memory-limit: ratio: Invalid type. Expected: number, given: string",
        );
        expect(succeeded).toBe(false);
    });

    test("loads all rules, none of which fails", async () => {
        const { text } = await cli.preview(deploymentsOf({ probed }), OUR_PACK);
        expect(text).toContain("property-search@v1.0.0");
        expect(text).not.toMatch(/failed to start|Error (validating|remediating)/);
    });
});

describe("a pack with remediation and a rule about the whole stack", () => {
    const remedied = { budget: "disabled", "working-dir": "remediate" };

    test("sets missing fields before the update, and secrets stay secret", async () => {
        const secret = { name: "TOKEN", value: pulumi.secret("hush") };
        const program = deploymentsOf({
            set: { ...bare, workingDir: "/set", env: [{ name: "HOME", value: "/set" }] },
            unset: { ...bare, env: [secret] },
        });
        const preview = await cli.preview(program, TEST_PACK, remedied);
        expect(preview.text).toMatch(/\[remediate\] +working-dir +\(1 resource\)/);
        const { succeeded, text } = await cli.up(program, TEST_PACK, remedied);
        expect(text).not.toContain("hush");
        expect(succeeded).toBe(true);
        expect(await cli.live("Deployment/search/unset")).toMatchObject({
            spec: {
                template: {
                    spec: {
                        containers: [
                            {
                                workingDir: "/work",
                                env: [
                                    { name: "TOKEN", value: secretly("hush") },
                                    { name: "HOME", value: "/work" },
                                ],
                            },
                        ],
                    },
                },
            },
        });
        expect(await cli.live("Deployment/search/set")).toMatchObject({
            spec: { template: { spec: { containers: [{ workingDir: "/set" }] } } },
        });
    });

    test("checks all objects of the stack together", async () => {
        const program: pulumi.automation.PulumiFn = async () => {
            await deploymentsOf({ covered: probed, alone: probed })();
            new kubernetes.policy.v1.PodDisruptionBudget("covered", {
                metadata: { name: "covered", namespace: "search" },
                spec: { minAvailable: 1, selector: { matchLabels: { app: "covered" } } },
            });
        };
        const config = { "working-dir": "disabled" };
        const { succeeded, text } = await cli.preview(program, TEST_PACK, config);
        expect(text).toContain("Deployment search/alone: has no budget");
        expect(text).toMatch(/\[mandatory\].*budget.*Deployment: alone/);
        expect(text).not.toContain("Deployment search/covered");
        expect(succeeded).toBe(false);
    });
});
