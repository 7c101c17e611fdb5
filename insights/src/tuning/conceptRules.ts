import { ADMIN_PATHS } from "@property-search/contract";
import { TUNER } from "./decide.ts";
import { AdminError, type SettingsPort } from "./admin.ts";
import type { TermCounts, TermPairProposal } from "./record.ts";

/** The rules of the service, as its admin port shows them. */
export interface ConceptRules {
    readonly version: number;
    readonly synonyms: readonly (readonly string[])[];
    readonly opposites: readonly (readonly string[])[];
    readonly places: readonly string[];
}

export interface TermPair {
    readonly terms: readonly [string, string];
    /** Distinct contexts of the terms. */
    readonly right: number;
    readonly wrong: number;
}

/** Evidence of one kind must be this many times that of the other. */
const MAJORITY = 10;
const MIN_CONTEXTS = 5;
/** Pairs that one run applies: a wrong one can be found before many follow. */
const MAX_APPLIED = 10;
const MAX_PROPOSED = 100;
/** Requests for the pairs in one run, and those after the last one that found another pod. */
const [MAX_POLLS, MAX_VAIN_POLLS] = [24, 6];
/** Pods whose counts are kept: 200 pairs of each, 250 kB. */
const MAX_PODS = 20;

/**
 * Terms that are not in the rules yet: synonyms if answers across them were right, opposites if they were wrong. A term may
 * be in one list of a kind only, so that a pair with a known term is proposed to people as it is, and not applied.
 */
export function proposePairs(
    pairs: readonly TermPair[],
    rules: ConceptRules,
): readonly TermPairProposal[] {
    const sums = new Map<string, TermPair>();
    for (const pair of pairs) {
        const key = pair.terms.join("\n");
        const known = sums.get(key);
        // Of several tenants and pods: their audits are different ones.
        sums.set(key, {
            terms: pair.terms,
            right: pair.right + (known?.right ?? 0),
            wrong: pair.wrong + (known?.wrong ?? 0),
        });
    }
    return [...sums.values()]
        .flatMap(({ terms, right, wrong }) => {
            const kind = kindOf(right, wrong);
            if (kind === undefined) return [];
            const status = isInRules(terms, kind, rules) ? "applied" : "proposed";
            return [{ terms, kind, right, wrong, status } as const];
        })
        .sort((a, b) => b.right + b.wrong - (a.right + a.wrong))
        .slice(0, MAX_PROPOSED);
}

/** @returns the rules with the proposals that fit, or undefined if none does */
export function applyPairs(
    proposals: readonly TermPairProposal[],
    rules: ConceptRules,
): { readonly rules: ConceptRules; readonly applied: readonly TermPairProposal[] } | undefined {
    const lists = { synonym: [...rules.synonyms], opposite: [...rules.opposites] };
    const applied = proposals
        .filter(({ status }) => status === "proposed")
        .filter(({ kind, terms }) => {
            const isFree = lists[kind].every((list) => !terms.some((term) => list.includes(term)));
            // Two terms are not both: synonyms are replaced before opposites are compared.
            const isContrary = [...lists.synonym, ...lists.opposite].some((list) =>
                terms.every((term) => list.includes(term)),
            );
            if (!isFree || isContrary) return false;
            lists[kind].push(terms);
            return true;
        })
        .slice(0, MAX_APPLIED);
    if (applied.length === 0) return undefined;
    const of = (kind: TermPairProposal["kind"]) =>
        applied.filter((one) => one.kind === kind).map(({ terms }) => terms);
    return {
        applied,
        rules: {
            ...rules,
            version: rules.version + 1,
            synonyms: [...rules.synonyms, ...of("synonym")],
            opposites: [...rules.opposites, ...of("opposite")],
        },
    };
}

/**
 * Asks pods for the pairs that they have counted until their load balancer leads to no other one, for a bounded number of
 * times. What is not found in one run is found in a later one.
 *
 * @param known of earlier runs
 * @returns the pods that were found last
 */
async function readCounts(
    { getEach }: Pick<SettingsPort, "getEach">,
    known: readonly TermCounts[],
): Promise<readonly TermCounts[]> {
    const found = new Map<string, TermCounts>();
    for (let polls = 0, vain = 0; polls < MAX_POLLS && vain < MAX_VAIN_POLLS; polls += 1) {
        const before = found.size;
        for (const answer of await getEach(ADMIN_PATHS.termPairs)) {
            const { pod = "of an earlier version", pairs } = answer as Partial<TermCounts>;
            if (pairs === undefined) continue;
            found.set(pod, {
                pod,
                pairs: pairs.map(({ terms, right, wrong }) => ({ terms, right, wrong })),
            });
        }
        vain = found.size > before ? 0 : vain + 1;
    }
    return [...known.filter(({ pod }) => !found.has(pod)), ...found.values()].slice(-MAX_PODS);
}

/**
 * Reads the term pairs of the service's pods, and applies those that fit if `isAutomatic`. Each audit is of one pod, so that
 * pods count different ones, and a pair that looks certain to one pod may not be so to all.
 *
 * @param known counts of earlier runs
 * @returns no pairs if semantic reuse is off
 * @throws UserError if the service cannot be reached
 */
export async function tuneConceptRules(
    service: Pick<SettingsPort, "get" | "getEach" | "put">,
    isAutomatic: boolean,
    known: readonly TermCounts[],
): Promise<{
    readonly termPairs: readonly TermPairProposal[];
    readonly termCounts: readonly TermCounts[];
}> {
    let termCounts: readonly TermCounts[];
    try {
        termCounts = await readCounts(service, known);
    } catch (error) {
        if (error instanceof AdminError && error.code === "semantic_off")
            return { termPairs: [], termCounts: known };
        throw error;
    }
    const pairs = termCounts.flatMap((one) => one.pairs);
    return { termPairs: await tunePairs(service, isAutomatic, pairs), termCounts };
}

async function tunePairs(
    { get, put }: Pick<SettingsPort, "get" | "put">,
    isAutomatic: boolean,
    pairs: readonly TermPair[],
): Promise<readonly TermPairProposal[]> {
    const { rules } = (await get(ADMIN_PATHS.conceptRules)) as { rules: ConceptRules };
    const proposals = proposePairs(pairs, rules);
    const next = isAutomatic ? applyPairs(proposals, rules) : undefined;
    if (!next) return proposals;
    await put(ADMIN_PATHS.conceptRules, { actor: TUNER, rules: next.rules });
    return proposals.map((one) =>
        next.applied.includes(one) ? { ...one, status: "applied" } : one,
    );
}

function kindOf(right: number, wrong: number): TermPairProposal["kind"] | undefined {
    if (right >= MIN_CONTEXTS && right >= MAJORITY * wrong) return "synonym";
    if (wrong >= MIN_CONTEXTS && wrong >= MAJORITY * right) return "opposite";
    return undefined;
}

function isInRules(
    terms: readonly [string, string],
    kind: TermPairProposal["kind"],
    { synonyms, opposites }: ConceptRules,
): boolean {
    const lists = kind === "synonym" ? synonyms : opposites;
    return lists.some((list) => terms.every((term) => list.includes(term)));
}
