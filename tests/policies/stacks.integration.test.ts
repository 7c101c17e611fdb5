import { describe, expect, test } from "@jest/globals";
import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import { parseAllDocuments } from "yaml";
import { addon } from "../../local/src/addons/addons.ts";
import { message } from "../../policies/core/message.ts";
import { objectsOf, type Json } from "../../policies/core/object.ts";
import { expiredOf, failuresOf, advicesOf, run, unusedOf } from "../../policies/core/run.ts";
import { RULES } from "../../policies/rules/index.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { render } from "../support/stacks.ts";

describe.each(["dev", "prod", "local"])("stack %s", (stack) => {
    test("has nothing that a rule finds, and no exemption too many", async () => {
        const { manifests } = await render({ stack });
        const result = run(RULES, policiesOf(stack), manifests.flatMap(objectsOf));
        expect(failuresOf(result).map(message)).toEqual([]);
        expect(advicesOf(result).map(message)).toEqual([]);
        expect(expiredOf(result)).toEqual([]);
        expect(unusedOf(result)).toEqual([]);
        expect(result.rules).toHaveLength(RULES.length);
        expect(result.rules.flatMap(({ undecided }) => undecided)).toEqual([]);
    });
});

/** With what `make up` sets as long as there is nothing that watches. */
test("the local stack has nothing that a rule finds while it only serves", async () => {
    const overrides = { "monitoring.enabled": "false", "autoscaling.metric": "none" };
    const { manifests } = await render({ stack: "local", overrides });
    const result = run(RULES, policiesOf("local"), manifests.flatMap(objectsOf));
    expect(failuresOf(result).map(message)).toEqual([]);
});

/** Not of the program, but in one of its namespaces, where the API server asks the same of everybody. */
test("the local stack's alert inbox is taken by what its API server enforces", async () => {
    const images = [
        { name: "embedding-service", references: ["localhost/embedding-service:v1.0.0-0"] },
    ];
    const inputs = { images, address: "", kubectl: "", kubeconfig: "" };
    const [NAMESPACE, ALERTMANAGER] = [NAMESPACES.monitoring, MONITORING_NAMES.alertmanager];
    const text = await addon("alert-inbox", inputs, { NAMESPACE, ALERTMANAGER, CHECKSUM: "" });
    const manifests = parseAllDocuments(text).map((one) => one.toJSON() as Json);
    const enforced = RULES.filter(({ admission }) => admission !== undefined);
    const policies = Object.entries(policiesOf("local")).filter(([name]) =>
        enforced.some((rule) => rule.name === name),
    );
    const result = run(enforced, Object.fromEntries(policies), manifests.flatMap(objectsOf));
    expect(failuresOf(result).map(message)).toEqual([]);
});
