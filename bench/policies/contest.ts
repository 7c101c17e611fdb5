import { execFileSync } from "node:child_process";
import type { StackPolicies } from "../../policies/engine/config.ts";
import { mutantsOf, type Fault, type Mutant } from "../../policies/faults/fault.ts";
import { json, type Json } from "../../policies/kubernetes/object.ts";
import type { Checker, Peer, Report, Say } from "./peer.ts";

/** Objects that are there together, which nobody has broken. */
export interface Subject {
    readonly name: string;
    readonly objects: readonly Json[];
    /** What its stack sets of the pack. */
    readonly policies: StackPolicies;
}

export interface Entrant {
    readonly peer: Peer;
    readonly checker: Checker;
}

export interface Standing {
    readonly name: string;
    readonly version: string;
    readonly rules: number;
    /** Mutants of which it says something that it does not say of what they were made of. */
    readonly caught: Tally;
    /** Of these, those in which what it says fails the run. */
    readonly failed: Tally;
    /** What it says of objects that nobody has broken, by their name. */
    readonly said: Readonly<Record<string, Counts>>;
    /** Of a command over the whole stack, its start included; the least of some runs. */
    readonly seconds: number | undefined;
}

/** A number, by the rule of the pack that claims the fault. */
export type Tally = Readonly<Record<string, number>>;

export interface Counts {
    readonly all: number;
    /** Of these, those that fail a run. */
    readonly fail: number;
    /** By the contestant's own rules. */
    readonly rules: Readonly<Record<string, number>>;
}

/** Mutants of a stack, shown to all; then all that nobody has broken. */
export async function contest(
    entrants: readonly Entrant[],
    faults: readonly Fault[],
    stack: Subject,
    clean: readonly Subject[],
    say: Say,
): Promise<{ readonly mutants: Tally; readonly standings: readonly Omit<Standing, "seconds">[] }> {
    const mutants: Record<string, number> = {};
    const all = entrants.map((entrant) => ({
        ...entrant,
        before: new Map<string, Promise<Set<string>>>(),
        caught: {},
        failed: {},
    }));
    for (const mutant of mutantsOf(faults, stack.objects)) {
        const { claimedBy } = mutant;
        count(mutants, claimedBy);
        const number = sum(mutants);
        if (number % 25 === 0) say(`${number} mutants of ${stack.name}`);
        for (const { checker, before, caught, failed } of all) {
            const view = checker.isSlow ? neighbourhood(mutant) : everything;
            let known = before.get(view.name);
            if (!known) {
                known = checker
                    .check(stack.objects.filter(view.has), stack.policies)
                    .then((reports) => new Set(reports.map(identity)));
                before.set(view.name, known);
            }
            const told = await known;
            const reports = await checker.check(mutant.objects.filter(view.has), stack.policies);
            const fresh = reports.filter((report) => !told.has(identity(report)));
            if (fresh.length > 0) count(caught, claimedBy);
            if (fresh.some(({ fails }) => fails)) count(failed, claimedBy);
        }
    }
    const standings = [];
    for (const { peer, checker, caught, failed } of all) {
        const said: Record<string, Counts> = {};
        for (const { name, objects, policies } of clean) {
            say(`${peer.name}: ${name}`);
            said[name] = countsOf(await checker.check(objects, policies));
        }
        const { version, rules } = checker;
        standings.push({ name: peer.name, version, rules, caught, failed, said });
    }
    return { mutants, standings };
}

interface View {
    /** The same for the same objects. */
    readonly name: string;
    readonly has: (object: Json) => boolean;
}

const everything: View = { name: "", has: () => true };

function neighbourhood({ changed }: Mutant): View {
    const [namespace, name] = [metadataOf(changed).namespace, metadataOf(changed).name];
    const isConfig = changed.kind === "ConfigMap";
    return {
        name: `${namespace as string} ${isConfig ? (name as string) : ""}`,
        has: (object) => {
            const here = metadataOf(object);
            if (object.kind === "ConfigMap" && !(isConfig && here.name === name)) return false;
            return [undefined, namespace].includes(here.namespace);
        },
    };
}

function metadataOf(object: Json): Json {
    return json(object.metadata);
}

const identity = ({ rule, at }: Report): string => `${rule} ${at}`;

function countsOf(reports: readonly Report[]): Counts {
    const rules: Record<string, number> = {};
    for (const { rule } of reports) count(rules, rule);
    return { all: reports.length, fail: reports.filter(({ fails }) => fails).length, rules };
}

function count(tally: Record<string, number>, key: string): void {
    tally[key] = (tally[key] ?? 0) + 1;
}

export function sum(tally: Tally): number {
    return Object.values(tally).reduce((total, number) => total + number, 0);
}

const RUNS = 3;

/** The least of some runs of its command over a file; what it says of the file does not matter. */
export function secondsOf({ command }: Checker, file: string): number | undefined {
    if (!command) return undefined;
    const [program, ...args] = command(file);
    const runs = Array.from({ length: RUNS }, () => {
        const begun = performance.now();
        try {
            execFileSync(program, args, { stdio: "ignore" });
        } catch (error) {
            if (typeof (error as { status?: unknown }).status !== "number") throw error;
        }
        return (performance.now() - begun) / 1000;
    });
    return Math.min(...runs);
}
