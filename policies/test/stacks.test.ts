import { describe, expect, test } from "@jest/globals";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { policyFlags } from "../../operations/deploy/pulumi/policies.ts";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";
import { createAdmissionObjects } from "../admission/index.ts";
import { parseStackPolicies } from "../engine/config.ts";
import { formatMessage } from "../engine/message.ts";
import { findFailures, runRules } from "../engine/run.ts";
import { toObjects } from "../kubernetes/object.ts";
import { RULES } from "../rules/index.ts";
import { readStackPolicies, findPolicyFile, readPolicyInputs } from "../stacks.ts";
import { deployment, LABELS, NAME, object, podSpec } from "./support/manifests.ts";

const folder = makeTemporaryFolder();

test("a stack without its own policies has the strictest ones in every command", () => {
    expect(readStackPolicies("staging")).toEqual(readStackPolicies("prod"));
    expect(readStackPolicies("staging")).not.toEqual(readStackPolicies("dev"));
    expect(createAdmissionObjects("staging")).toEqual(createAdmissionObjects("prod"));
    expect(policyFlags("staging", folder)).toEqual(policyFlags("prod", folder));
    expect(policyFlags("dev", folder).at(-1)).toMatch(/stacks\/dev\.json$/);
});

describe("a stack's own file", () => {
    const own = {
        "image-registry": { registries: ["registry.example.com/*"] },
        "startup-probe": "advisory",
        "pre-stop": "disabled",
        replicas: {
            exempt: [
                { workload: "redis-cluster", reason: "one is enough here", expires: "2027-06-30" },
            ],
        },
    };
    const strict = readStackPolicies("prod") as Record<string, Record<string, unknown>>;
    const write = (stack: string, value: unknown) => {
        writeFileSync(path.join(folder, `${stack}.json`), JSON.stringify(value));
        return readStackPolicies(stack, {}, folder);
    };

    test("is merged over the strictest set: omitted rules stay strict", () => {
        const policies = write("staging", own);
        expect(policies).toEqual({
            ...strict,
            ...own,
            "startup-probe": { enforcementLevel: "advisory" },
            "pre-stop": { ...strict["pre-stop"], enforcementLevel: "disabled" },
            replicas: {
                ...strict.replicas,
                exempt: [...(strict.replicas?.exempt as unknown[]), ...own.replicas.exempt],
            },
        });
        expect(() => parseStackPolicies(RULES, policies)).not.toThrow();
    });

    test("that is wrong is refused in the rule's words", () => {
        expect(() => parseStackPolicies(RULES, write("wrong", { replicas: 3 }))).toThrow(
            "replicas is 3; allowed: a level",
        );
    });

    test.each(["dev", "local"])("of stack %s in the repository is complete", (stack) => {
        expect(findPolicyFile(stack)).toMatch(`${stack}.json`);
        expect(readStackPolicies(stack)).toEqual(
            JSON.parse(readFileSync(findPolicyFile(stack) ?? "", "utf8")),
        );
    });
});

describe("Secrets that the config declares as external", () => {
    const config = {
        "property-search:images.pullSecrets": ["regcred"],
        "property-search:redis.secretName": "login",
        "redis.caSecretName": "authorities",
        "property-search:redis.certSecretName": "client",
    };
    const names = ["regcred", "login", "authorities", "client"];
    const volumes = names.map((secretName) => ({ name: secretName, secret: { secretName } }));
    const spec = podSpec({ volumes, imagePullSecrets: [{ name: "regcred" }] });
    const objects = [deployment(spec), object("v1", "ServiceAccount")].flatMap(toObjects);
    const missing = (stack: string, inputs: object) => {
        const result = runRules(RULES, readStackPolicies(stack, inputs), objects);
        return findFailures(result).filter(({ rule }) => rule.name === "references");
    };

    test.each(["prod", "dev", "staging"])("are no violation in stack %s", (stack) => {
        writeFileSync(path.join(folder, "Pulumi.eks.yaml"), JSON.stringify({ config }));
        const inputs = readPolicyInputs("eks", folder);
        expect(inputs.secrets).toEqual(names);
        expect(missing(stack, inputs)).toEqual([]);
        expect(missing(stack, {}).length).toBeGreaterThanOrEqual(names.length);
    });

    test("reach Pulumi's pack too, by a file of its own", () => {
        expect(findPolicyFile("staging", { secrets: ["login"] })).toBeUndefined();
        expect(readStackPolicies("staging", { secrets: ["login"] }).references).toEqual({
            external: ["Secret/login"],
        });
    });
});

test("one Redis and one Alertmanager are mended by the stack's config, not by a number", () => {
    const service = object("v1", "Service", { spec: { selector: LABELS, ports: [{ port: 80 }] } });
    const messages = ["redis-cluster", "alertmanager", NAME].map((name) => {
        const workload = deployment(podSpec(), { replicas: 1 });
        const named = { ...workload, metadata: { ...(workload.metadata as object), name } };
        const result = runRules(
            RULES,
            readStackPolicies("prod"),
            [named, service].flatMap(toObjects),
        );
        const found = findFailures(result).filter(({ rule }) => rule.name === "replicas");
        return found.map(formatMessage).join();
    });
    expect(messages[0]).toContain("redis.mode: cluster");
    expect(messages[1]).toContain("alertmanager.replicas: 3");
    expect(messages[2]).toContain("replicas: 2");
});
