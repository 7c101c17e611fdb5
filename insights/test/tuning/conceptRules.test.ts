import { describe, expect, test } from "@jest/globals";
import { AdminError } from "../../src/tuning/admin.ts";
import {
    applyPairs,
    proposePairs,
    tuneConceptRules,
    type ConceptRules,
} from "../../src/tuning/conceptRules.ts";

const RULES: ConceptRules = {
    version: 3,
    synonyms: [["flat", "apartment"]],
    opposites: [["rent", "buy"]],
    places: ["soho"],
};
const pair = (one: string, other: string, right: number, wrong: number) => ({
    terms: [one, other] as const,
    right,
    wrong,
});

describe("term pairs", () => {
    test("are synonyms if answers were right, opposites if they were wrong, and else nothing", () => {
        const pairs = [
            pair("garden", "yard", 12, 1),
            pair("cheap", "dear", 0, 6),
            pair("near", "far", 6, 5),
            pair("big", "huge", 4, 0),
            pair("apartment", "flat", 30, 0),
        ];
        expect(proposePairs(pairs, RULES)).toEqual([
            {
                terms: ["apartment", "flat"],
                kind: "synonym",
                right: 30,
                wrong: 0,
                status: "applied",
            },
            { terms: ["garden", "yard"], kind: "synonym", right: 12, wrong: 1, status: "proposed" },
            { terms: ["cheap", "dear"], kind: "opposite", right: 0, wrong: 6, status: "proposed" },
        ]);
    });

    test("of several tenants count together", () => {
        const pairs = [pair("garden", "yard", 9, 0), pair("garden", "yard", 0, 5)];
        expect(proposePairs(pairs, RULES)).toEqual([]);
    });

    test("are applied if neither term has a list of its kind, nor both one of the other kind", () => {
        const proposals = proposePairs(
            [
                pair("garden", "yard", 12, 0),
                pair("flat", "studio", 11, 0),
                pair("buy", "rent", 10, 0),
                pair("yard", "patio", 9, 0),
                pair("buy", "hire", 0, 8),
                pair("cheap", "dear", 0, 7),
            ],
            RULES,
        );
        expect(applyPairs(proposals, RULES)?.rules).toEqual({
            version: 4,
            synonyms: [
                ["flat", "apartment"],
                ["garden", "yard"],
            ],
            opposites: [
                ["rent", "buy"],
                ["cheap", "dear"],
            ],
            places: ["soho"],
        });
        expect(applyPairs(proposals.slice(1, 3), RULES)).toBeUndefined();
    });
});

describe("the refresh of concept rules", () => {
    type Pairs = readonly ReturnType<typeof pair>[];

    /** A service whose pods answer in turn. */
    function createService(...pods: readonly Pairs[]) {
        const puts: unknown[] = [];
        let polls = 0;
        return {
            puts,
            get: () => Promise.resolve({ rules: RULES }),
            getEach: () => {
                const at = polls++ % pods.length;
                return Promise.resolve([{ pod: `pod-${at}`, pairs: pods[at] }]);
            },
            put: (_: string, body: unknown) => {
                puts.push(body);
                return Promise.resolve({});
            },
        };
    }

    test("proposes by default, and applies what it proposes if it is automatic", async () => {
        const service = createService([pair("garden", "yard", 12, 0)]);
        const { termPairs: proposed } = await tuneConceptRules(service, false, []);
        expect(proposed).toMatchObject([{ status: "proposed" }]);
        expect(service.puts).toEqual([]);
        const { termPairs: applied } = await tuneConceptRules(service, true, []);
        expect(applied).toMatchObject([{ status: "applied" }]);
        expect(service.puts).toMatchObject([{ actor: "tuner", rules: { version: 4 } }]);
    });

    test("adds what pods have counted, of which one alone would be certain", async () => {
        const certain = [pair("big", "small", 6, 0)];
        expect((await tuneConceptRules(createService(certain), false, [])).termPairs).toHaveLength(
            1,
        );
        const others = createService(certain, [pair("big", "small", 1, 5)], []);
        const { termPairs, termCounts } = await tuneConceptRules(others, true, []);
        expect([termPairs, others.puts]).toEqual([[], []]);
        expect(termCounts.map(({ pod }) => pod)).toEqual(["pod-0", "pod-1", "pod-2"]);
    });

    test("keeps the counts of pods that have ended, replaces those of others, and of 20 pods at most", async () => {
        const service = createService([pair("garden", "yard", 6, 0)]);
        const ended = { pod: "ended", pairs: [pair("garden", "yard", 1, 5)] };
        const before = { pod: "pod-0", pairs: [pair("garden", "yard", 5, 5)] };
        const { termCounts } = await tuneConceptRules(service, false, [ended, before]);
        expect(termCounts).toEqual([
            ended,
            { pod: "pod-0", pairs: [pair("garden", "yard", 6, 0)] },
        ]);
        const many = Array.from({ length: 40 }, (_, at) => ({ ...ended, pod: `ended-${at}` }));
        const kept = (await tuneConceptRules(service, false, many)).termCounts;
        expect([kept.length, kept.at(-1)?.pod]).toEqual([20, "pod-0"]);
    });

    test("does nothing while semantic reuse is off, and fails for other errors", async () => {
        const failing = (code: string) => ({
            get: () => Promise.resolve({ rules: RULES }),
            getEach: () => Promise.reject(new AdminError("rejected", code)),
            put: () => Promise.resolve({}),
        });
        expect(await tuneConceptRules(failing("semantic_off"), true, [])).toEqual({
            termPairs: [],
            termCounts: [],
        });
        await expect(tuneConceptRules(failing("other"), true, [])).rejects.toThrow("rejected");
    });
});
