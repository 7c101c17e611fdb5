import { expect, test } from "@jest/globals";
import { compare, type Participant, type Subject } from "../../policies/comparison.ts";
import type { Report } from "../../policies/peer.ts";
import { renderPage } from "../../policies/report.ts";
import type { Mutation } from "../../../policies/mutations/mutation.ts";
import type { Json } from "../../../policies/kubernetes/object.ts";
import { NAMESPACE, object } from "../../../policies/test/support/manifests.ts";

const CONFIG = object("v1", "ConfigMap");
const SERVICE = object("v1", "Service", { spec: { clusterIP: "None" } });
const ELSEWHERE = { ...SERVICE, metadata: { name: "service", namespace: "elsewhere" } };
const STACK: Subject = { name: "stack", objects: [CONFIG, SERVICE, ELSEWHERE], policies: {} };

/** A mutation with two places, one in a ConfigMap. */
const MUTATION: Mutation = {
    rule: "claims-it",
    name: "broken",
    *places(draft) {
        const { metadata } = draft as { metadata: Json };
        if (metadata.namespace !== NAMESPACE) return;
        yield { where: "", make: () => ((draft as Record<string, unknown>).broken = true) };
    },
};

function participant(
    name: string,
    reported: (objects: readonly Json[]) => readonly Report[],
    isSlow = false,
): Participant {
    const check = (objects: readonly Json[]) => Promise.resolve(reported(objects));
    return {
        peer: { name, start: () => Promise.reject(new Error("not started here")) },
        checker: { version: "1", rules: 1, check, isSlow, close: () => undefined },
    };
}

const always: Report = { rule: "a", at: "everywhere", fails: true };
const broken = (fails: boolean, kind?: string) => (objects: readonly Json[]) => [
    always,
    ...objects
        .filter((one) => one.broken && (kind === undefined || one.kind === kind))
        .map(() => ({ rule: "b", at: "there", fails })),
];

test("a mutation is caught by a report that the unchanged stack does not have", async () => {
    const participants = [
        participant("without a report on the mutation", () => [always]),
        participant("on Services, as advice", broken(false, "Service")),
        participant("on all", broken(true)),
    ];
    const { mutants, results } = await compare(
        participants,
        [MUTATION],
        STACK,
        [STACK],
        () => undefined,
    );
    expect(mutants).toEqual({ "claims-it": 2 });
    expect(results.map(({ caught, failed }) => [caught, failed])).toEqual([
        [{}, {}],
        [{ "claims-it": 1 }, {}],
        [{ "claims-it": 2 }, { "claims-it": 2 }],
    ]);
    expect(results[1]?.reported).toEqual({ stack: { all: 1, fail: 1, rules: { a: 1 } } });
});

test("a slow checker gets the namespace of the mutation, and a ConfigMap only if it has the mutation", async () => {
    const checked: string[] = [];
    const slow = participant(
        "slow",
        (objects) => {
            checked.push(objects.map(({ kind }) => kind).join(" "));
            return broken(true)(objects);
        },
        true,
    );
    const { results } = await compare([slow], [MUTATION], STACK, [], () => undefined);
    expect(results[0]?.caught).toEqual({ "claims-it": 2 });
    expect(checked).toEqual(["ConfigMap Service", "ConfigMap Service", "Service", "Service"]);
});

/** @returns the page of a comparison on the one fault */
async function pageOf(participants: readonly Participant[], missing: readonly string[] = []) {
    const { mutants, results } = await compare(
        participants,
        [MUTATION],
        STACK,
        [STACK],
        () => undefined,
    );
    return renderPage({
        name: "policies",
        finished: "2026-11-25T20:00:00Z",
        commit: "0a0a",
        machine: { processor: "one", cores: 1, memoryGiB: 1, kernel: "6", node: "v24" },
        stack: "stack",
        mutants,
        peers: results.map((one) => ({ ...one, seconds: 1.234 })),
        stacks: { stack: 3 },
        projects: {},
        missing,
    });
}

test("the page has a column for each peer, and the reason for a missing one", async () => {
    const text = await pageOf(
        [participant("on all", broken(true))],
        ["Without another: not installed"],
    );
    expect(text).toContain("| caught, of 2 mutations | 2 (100 %) |");
    expect(text).toContain("| reports on our 1 stacks | 1 (1) |");
    expect(text).toContain("| seconds | 1.23 |");
    expect(text).toContain("| `claims-it` | 2 | 2 |");
    expect(text).toContain("Without another: not installed");
});

test("the page splits tables of more than five columns", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const text = await pageOf(names.map((name) => participant(name, broken(true))));
    const headings = text.match(/^\|.*\|(?=\n\| ---)/gm);
    expect(headings).toEqual([
        "|  | a | b | c |",
        "|  | d | e | f |",
        "| rule | mutations | a | b | c |",
        "| rule | d | e | f |",
        "|  | objects | a | b | c |",
        "|  | d | e | f |",
    ]);
});
