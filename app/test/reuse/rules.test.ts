import { describe, expect, test } from "@jest/globals";
import { pino } from "pino";

import { OutcomeUnknownError, VersionConflictError } from "../../src/redis/versionedRecord.ts";
import type { VersionedStore } from "../../src/redis/versionedStore.ts";
import { createReuseRules, rulesErrors } from "../../src/reuse/rules/rules.ts";
import type { ConceptRules } from "../../src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../src/semantic/defaultRules.ts";
import { createStubVersionedStore } from "../support/versionedStore.ts";

const log = pino({ level: "silent" });
const rulesOf = (version: number, ...places: string[]): ConceptRules => ({
    version,
    synonyms: [],
    opposites: [],
    places,
});

function createPod(store: VersionedStore) {
    const seen: number[] = [];
    const rules = createReuseRules(store, ({ version }) => void seen.push(version), log);
    const poll = async (): Promise<void> => {
        await rules.start();
        rules.stop();
    };
    return { ...rules, seen, poll };
}

describe("concept rules", () => {
    test("whose storage Redis does not confirm are unknown, and apply as soon as it shows them", async () => {
        const { store } = createStubVersionedStore(DEFAULT_RULES.version);
        const putNext: VersionedStore["putNext"] = async (version, record) => {
            await store.putNext(version, record);
            throw new Error("Command timed out");
        };
        const pod = createPod({ ...store, putNext });
        const replacing = pod.replace(rulesOf(2, "soho"), "ann");
        await expect(replacing).rejects.toBeInstanceOf(OutcomeUnknownError);
        await expect(replacing).rejects.toThrow("whether version 2 was stored is unknown");
        expect(pod.seen).toEqual([]);
        await pod.poll();
        expect(pod.seen).toEqual([2]);
    });

    test("are the shipped ones until an operator replaces them, for all pods", async () => {
        const { store } = createStubVersionedStore(DEFAULT_RULES.version);
        const [one, other] = [createPod(store), createPod(store)];
        await other.poll();
        expect(other.current().rules).toBe(DEFAULT_RULES);
        await one.replace(rulesOf(2, "soho"), "ann");
        await other.poll();
        expect(other.current()).toMatchObject({ rules: rulesOf(2, "soho"), actor: "ann" });
        expect([one.seen, other.seen]).toEqual([[2], [2]]);
    });

    test("of two operators who replace the same version, one is rejected with the current version", async () => {
        const { store } = createStubVersionedStore(DEFAULT_RULES.version);
        const [one, other] = [createPod(store), createPod(store)];
        await one.replace(rulesOf(2, "soho"), "ann");
        await expect(other.replace(rulesOf(2, "camden"), "bob")).rejects.toThrow(
            new VersionConflictError(2, 2),
        );
        expect(other.current().rules).toEqual(rulesOf(2, "soho"));
    });

    test("are restored to an emptied Redis, and invalid ones in Redis change nothing", async () => {
        const { store, stored, empty, overwrite } = createStubVersionedStore(DEFAULT_RULES.version);
        const pod = createPod(store);
        await pod.replace(rulesOf(2, "soho"), "ann");
        empty();
        await pod.poll();
        expect(stored()?.version).toBe(2);
        overwrite(3, '{"rules":{"version":3}}');
        await pod.poll();
        overwrite(4, "no JSON");
        await pod.poll();
        expect(pod.current().rules).toEqual(rulesOf(2, "soho"));
    });

    test("that are shipped have no errors, and a term of two lists is one", () => {
        expect(rulesErrors(DEFAULT_RULES)).toEqual([]);
        const rules = {
            ...rulesOf(2),
            synonyms: [
                ["flat", "apartment"],
                ["house", "Flat"],
            ],
        };
        expect(rulesErrors(rules)).toEqual([
            'synonyms.1.1 is "Flat", as in synonyms.0; allowed: each term once',
        ]);
        const many = rulesOf(2, ...Array.from({ length: 5_001 }, (_, at) => `place ${at}`));
        expect(rulesErrors(many)).toEqual([
            "synonyms, opposites and places have 5001 terms; allowed: at most 5000",
        ]);
    });

    test.each([
        [" ", 'places.1 is " "; allowed: a term that is not blank'],
        ["SOHO", 'places.1 is "SOHO", as in places; allowed: each term once'],
        [" acton", 'places.1 is " acton"; allowed: "acton", as texts are compared'],
        ["king’s x", 'places.1 is "king’s x"; allowed: "king\'s x", as texts are compared'],
    ])("that could never match or are there twice are errors: %j", (term, error) => {
        expect(rulesErrors(rulesOf(2, "soho", term))).toEqual([error]);
    });
});
