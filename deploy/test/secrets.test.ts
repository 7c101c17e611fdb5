import { describe, expect, test } from "@jest/globals";
import { GENERATED_SECRETS } from "@property-search/contract";
import { completeSecrets } from "../src/secrets.ts";

describe("completeSecrets", () => {
    test("generates every secret of a new stack, each its own, with 256 bits in safe characters", () => {
        const { secrets, generated } = completeSecrets({});
        expect(generated).toEqual([...GENERATED_SECRETS]);
        const values = GENERATED_SECRETS.map((key) => secrets[key] ?? "");
        expect(new Set(values).size).toBe(values.length);
        for (const value of values) expect(value).toMatch(/^[A-Za-z0-9]{43}$/);
    });

    test("never changes a secret that is known", () => {
        const known = completeSecrets({}).secrets;
        expect(completeSecrets(known)).toEqual({ secrets: known, generated: [] });
    });

    test("adds only the one that is missing", () => {
        const [first, ...others] = GENERATED_SECRETS;
        const known = Object.fromEntries(others.map((key) => [key, "kept"]));
        const { secrets, generated } = completeSecrets(known);
        expect(generated).toEqual([first]);
        expect(secrets).toMatchObject(known);
    });
});
