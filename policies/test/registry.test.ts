import { describe, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";
import { readStackPolicies, readPolicyInputs, withRegistry } from "../stacks.ts";

const REGISTRY = "registry.example.com/mirror";
const root = makeTemporaryFolder();

describe("a stack with a registry of its own", () => {
    test("may run its images, and none of a public registry any more", () => {
        expect(readStackPolicies("prod", { registry: REGISTRY })).toEqual({
            ...readStackPolicies("prod"),
            "image-registry": { registries: [`${REGISTRY}/*`] },
        });
    });

    test("keeps the other registries that its file allows, and the rule's level", () => {
        const set = {
            enforcementLevel: "advisory",
            registries: ["docker.io/prom/*", "localhost/*"],
        };
        expect(withRegistry({ "image-registry": set }, REGISTRY)).toEqual({
            "image-registry": {
                enforcementLevel: "advisory",
                registries: [`${REGISTRY}/*`, "localhost/*"],
            },
        });
        expect(withRegistry({ "image-registry": "advisory" }, REGISTRY)).toEqual({
            "image-registry": { enforcementLevel: "advisory", registries: [`${REGISTRY}/*`] },
        });
    });

    test.each([
        ["property-search:images.registry", REGISTRY],
        ["images.registry", REGISTRY],
        ["property-search:images.registry", undefined],
    ])("is known by %s: %s of its config file", (key, registry) => {
        const config = { [key]: registry ?? "" };
        writeFileSync(path.join(root, "Pulumi.x.yaml"), JSON.stringify({ config }));
        expect(readPolicyInputs("x", root).registry).toBe(registry);
        expect(readPolicyInputs("y", root)).toEqual({});
    });
});
