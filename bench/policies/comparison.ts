import { execFileSync } from "node:child_process";
import type { StackPolicies } from "../../policies/engine/config.ts";
import { createMutants, type Mutation, type Mutant } from "../../policies/mutations/mutation.ts";
import { asJson, type Json } from "../../policies/kubernetes/object.ts";
import type { Checker, Peer, Report, ShowProgress } from "./peer.ts";

/** The objects of a stack or project, without mutations. */
export interface Subject {
    readonly name: string;
    readonly objects: readonly Json[];
    /** The stack's configuration of the pack. */
    readonly policies: StackPolicies;
}

export interface Participant {
    readonly peer: Peer;
    readonly checker: Checker;
}

export interface PeerResult {
    readonly name: string;
    readonly version: string;
    readonly rules: number;
    /** Mutants with a report that the unchanged stack does not have. */
    readonly caught: Tally;
    /** Caught mutants with such a report that fails the run. */
    readonly failed: Tally;
    /** Reports on objects without mutations, by name of the subject. */
    readonly reported: Readonly<Record<string, Counts>>;
    /** Duration of the command for the whole stack, including its start: the minimum of several runs. */
    readonly seconds: number | undefined;
}

/** Numbers by the rule of the pack that must report the mutation. */
export type Tally = Readonly<Record<string, number>>;

export interface Counts {
    readonly all: number;
    /** Reports that fail a run. */
    readonly fail: number;
    /** By the peer's own rules. */
    readonly rules: Readonly<Record<string, number>>;
}

/** Checks the mutants of a stack, and then the subjects without mutations, with all participants. */
export async function compare(
    participants: readonly Participant[],
    mutations: readonly Mutation[],
    stack: Subject,
    sound: readonly Subject[],
    showProgress: ShowProgress,
): Promise<{ readonly mutants: Tally; readonly results: readonly Omit<PeerResult, "seconds">[] }> {
    const mutants: Record<string, number> = {};
    const all = participants.map((participant) => ({
        ...participant,
        before: new Map<string, Promise<Set<string>>>(),
        caught: {},
        failed: {},
    }));
    for (const mutant of createMutants(mutations, stack.objects)) {
        const { claimedBy } = mutant;
        count(mutants, claimedBy);
        const number = sum(mutants);
        if (number % 25 === 0) showProgress(`${number} mutants of ${stack.name}`);
        for (const { checker, before, caught, failed } of all) {
            const view = checker.isSlow ? neighbourhood(mutant) : WHOLE_STACK;
            let pending = before.get(view.name);
            if (!pending) {
                pending = checker
                    .check(stack.objects.filter(view.has), stack.policies)
                    .then((reports) => new Set(reports.map(identity)));
                before.set(view.name, pending);
            }
            const known = await pending;
            const reports = await checker.check(mutant.objects.filter(view.has), stack.policies);
            const added = reports.filter((report) => !known.has(identity(report)));
            if (added.length > 0) count(caught, claimedBy);
            if (added.some(({ fails }) => fails)) count(failed, claimedBy);
        }
    }
    const results = [];
    for (const { peer, checker, caught, failed } of all) {
        const reported: Record<string, Counts> = {};
        for (const { name, objects, policies } of sound) {
            showProgress(`${peer.name}: ${name}`);
            reported[name] = countByRule(await checker.check(objects, policies));
        }
        const { version, rules } = checker;
        results.push({ name: peer.name, version, rules, caught, failed, reported });
    }
    return { mutants, results };
}

interface View {
    /** Equal for equal sets of objects. */
    readonly name: string;
    readonly has: (object: Json) => boolean;
}

const WHOLE_STACK: View = { name: "", has: () => true };

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
    return asJson(object.metadata);
}

const identity = ({ rule, at }: Report): string => `${rule} ${at}`;

function countByRule(reports: readonly Report[]): Counts {
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

/** The minimum duration of several runs of the command for a file, whatever it reports. */
export function timeCommand({ command }: Checker, file: string): number | undefined {
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
