import { describe, expect, test } from "@jest/globals";
import { GENERATED_SECRETS } from "@property-search/contract";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { storeMissingSecrets } from "../../deploy/pulumi/config.ts";
import { PROJECT } from "../../deploy/pulumi/workspace.ts";
import { completeSecrets } from "../../stack/secrets.ts";

describe("completeSecrets", () => {
    test("generates every secret of a new stack, with 256 bits in safe characters", () => {
        const { secrets, generated } = completeSecrets({});
        expect(generated).toEqual([...GENERATED_SECRETS]);
        const values = GENERATED_SECRETS.map((key) => secrets[key] ?? "");
        expect(new Set(values).size).toBe(values.length);
        for (const value of values) expect(value).toMatch(/^[A-Za-z0-9]{43}$/);
    });

    test("never changes an existing secret", () => {
        const known = completeSecrets({}).secrets;
        expect(completeSecrets(known)).toEqual({ secrets: known, generated: [] });
    });

    test("adds only the missing one", () => {
        const [first, ...others] = GENERATED_SECRETS;
        const known = Object.fromEntries(others.map((key) => [key, "kept"]));
        const { secrets, generated } = completeSecrets(known);
        expect(generated).toEqual([first]);
        expect(secrets).toMatchObject(known);
    });
});

describe("secrets in Pulumi's config", () => {
    async function stored(known: readonly string[], ofElsewhere: Record<string, string> = {}) {
        const folder = makeTemporaryFolder();
        const file = path.join(folder, "Pulumi.prod.yaml");
        const lines = known.map((key) => `    ${PROJECT}:${key}: { secure: v1:kept }\n`);
        await writeFile(file, `config:\n    ${PROJECT}:blue.image: a:v1\n${lines.join("")}`);
        const written = new Map<string, string>();
        await storeMissingSecrets(
            file,
            ofElsewhere,
            () => undefined,
            (key, value) => {
                written.set(key, value);
                return Promise.resolve();
            },
        );
        return written;
    }

    test("stay when a new one is added: an upgrade changes no password", async () => {
        const [first, ...others] = GENERATED_SECRETS;
        expect([...(await stored(others)).keys()]).toEqual([first]);
        expect(await stored(GENERATED_SECRETS)).toEqual(new Map());
    });

    test("are those of earlier deploys by the other method, if there are any", async () => {
        const [first] = GENERATED_SECRETS;
        const written = await stored([], { [first]: "theirs" });
        expect(written.get(first)).toBe("theirs");
        expect([...written.keys()].toSorted()).toEqual([...GENERATED_SECRETS].toSorted());
    });
});
