import { ADMIN_PATHS } from "@property-search/contract";
import { TUNER } from "./decide.ts";
import { AdminError, type SettingsPort } from "./admin.ts";
import type { TermPairProposal } from "./record.ts";

/** The rules of the service, as its admin port shows them. */
export interface ConceptRules {
    readonly version: number;
    readonly synonyms: readonly (readonly string[])[];
    readonly opposites: readonly (readonly string[])[];
    readonly places: readonly string[];
}

export interface TermPair {
    readonly terms: readonly [string, string];
    /** Distinct surroundings of the terms. */
    readonly right: number;
    readonly wrong: number;
}

/** Evidence of one kind must be this many times that of the other. */
const MAJORITY = 10;
const MIN_SURROUNDINGS = 5;
/** Pairs that one run applies: a wrong one can be found before many follow. */
const MAX_APPLIED = 10;
const MAX_PROPOSED = 100;

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
        // Of several tenants: the texts are not the same ones.
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
 * Reads the term pairs of the service, and applies those that fit if `isAutomatic`.
 *
 * @returns none if semantic reuse is off
 * @throws UserError if the service cannot be reached
 */
export async function tuneConceptRules(
    { get, put }: Pick<SettingsPort, "get" | "put">,
    isAutomatic: boolean,
): Promise<readonly TermPairProposal[]> {
    let pairs: readonly TermPair[];
    try {
        ({ pairs } = (await get(ADMIN_PATHS.termPairs)) as { pairs: readonly TermPair[] });
    } catch (error) {
        if (error instanceof AdminError && error.code === "semantic_off") return [];
        throw error;
    }
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
    if (right >= MIN_SURROUNDINGS && right >= MAJORITY * wrong) return "synonym";
    if (wrong >= MIN_SURROUNDINGS && wrong >= MAJORITY * right) return "opposite";
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
