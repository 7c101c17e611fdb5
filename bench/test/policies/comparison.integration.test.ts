import { expect, test } from "@jest/globals";
import { contest, type Entrant, type Subject } from "../../policies/contest.ts";
import type { Report } from "../../policies/peer.ts";
import { page } from "../../policies/report.ts";
import type { Fault } from "../../../policies/faults/fault.ts";
import type { Json } from "../../../policies/kubernetes/object.ts";
import { NAMESPACE, object } from "../../../policies/test/support/manifests.ts";

const CONFIG = object("v1", "ConfigMap");
const SERVICE = object("v1", "Service", { spec: { clusterIP: "None" } });
const ELSEWHERE = { ...SERVICE, metadata: { name: "service", namespace: "elsewhere" } };
const STACK: Subject = { name: "stack", objects: [CONFIG, SERVICE, ELSEWHERE], policies: {} };

/** It has two places, one of them in a ConfigMap. */
const FAULT: Fault = {
    rule: "claims-it",
    name: "broken",
    *places(draft) {
        const { metadata } = draft as { metadata: Json };
        if (metadata.namespace !== NAMESPACE) return;
        yield { where: "", make: () => ((draft as Record<string, unknown>).broken = true) };
    },
};

function entrant(
    name: string,
    said: (objects: readonly Json[]) => readonly Report[],
    isSlow = false,
): Entrant {
    const check = (objects: readonly Json[]) => Promise.resolve(said(objects));
    return {
        peer: { name, open: () => Promise.reject(new Error("not opened here")) },
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

test("caught is what is said of a fault and not without it", async () => {
    const entrants = [
        entrant("deaf", () => [always]),
        entrant("of Services, as advice", broken(false, "Service")),
        entrant("of all", broken(true)),
    ];
    const { mutants, standings } = await contest(
        entrants,
        [FAULT],
        STACK,
        [STACK],
        () => undefined,
    );
    expect(mutants).toEqual({ "claims-it": 2 });
    expect(standings.map(({ caught, failed }) => [caught, failed])).toEqual([
        [{}, {}],
        [{ "claims-it": 1 }, {}],
        [{ "claims-it": 2 }, { "claims-it": 2 }],
    ]);
    expect(standings[1]?.said).toEqual({ stack: { all: 1, fail: 1, rules: { a: 1 } } });
});

test("who is slow is shown the namespace of the fault, and a ConfigMap only if it has it", async () => {
    const shown: string[] = [];
    const slow = entrant(
        "slow",
        (objects) => {
            shown.push(objects.map(({ kind }) => kind).join(" "));
            return broken(true)(objects);
        },
        true,
    );
    const { standings } = await contest([slow], [FAULT], STACK, [], () => undefined);
    expect(standings[0]?.caught).toEqual({ "claims-it": 2 });
    expect(shown).toEqual(["ConfigMap Service", "ConfigMap Service", "Service", "Service"]);
});

test("the page has a column for each, and says who is missing", async () => {
    const { mutants, standings } = await contest(
        [entrant("of all", broken(true))],
        [FAULT],
        STACK,
        [STACK],
        () => undefined,
    );
    const text = page({
        name: "policies",
        finished: "2026-11-25T20:00:00Z",
        commit: "0a0a",
        machine: { processor: "one", cores: 1, memoryGiB: 1, kernel: "6", node: "v24" },
        stack: "stack",
        mutants,
        standings: standings.map((one) => ({ ...one, seconds: 1.234 })),
        stacks: { stack: 3 },
        projects: {},
        missing: ["Without another: there is none"],
    });
    expect(text).toContain("| caught, of 2 faults | 2 (100 %) |");
    expect(text).toContain("| said of our 1 stacks | 1 (1) |");
    expect(text).toContain("| seconds | 1.23 |");
    expect(text).toContain("| `claims-it` | 2 | 2 |");
    expect(text).toContain("Without another: there is none");
});
