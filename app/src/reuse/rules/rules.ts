import { Value } from "typebox/value";

import type { Log } from "../../log.ts";
import { createVersionedRecord, type VersionedRecord } from "../../redis/versionedRecord.ts";
import type { VersionedStore } from "../../redis/versionedStore.ts";
import { CONCEPT_RULES, type ConceptRules } from "../../semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../semantic/defaultRules.ts";
import { normaliseText } from "../../semantic/normaliseText.ts";

/** Concept rules and their author. */
export interface RulesRecord {
    readonly rules: ConceptRules;
    readonly actor: string;
    /** Undefined: the shipped rules. */
    readonly changedAt: string | undefined;
}

/** The concept rules of all pods, which poll them from Redis. */
export interface ReuseRules extends Pick<
    VersionedRecord<RulesRecord>,
    "current" | "start" | "stop"
> {
    /**
     * Takes effect here immediately, and in other pods within VERSION_PROPAGATION_MILLISECONDS.
     *
     * @throws VersionConflictError if `rules.version` does not follow the current version; OutcomeUnknownError if Redis
     * does not answer
     */
    readonly replace: (rules: ConceptRules, actor: string) => Promise<RulesRecord>;
}

/** Every lookup searches all terms. */
const MAX_TERMS = 5_000;
const SHIPPED: RulesRecord = { rules: DEFAULT_RULES, actor: "shipped", changedAt: undefined };
/** Name of the key in Redis, and version of rules that nobody has replaced. */
export const STORED_RULES = ["semantic-rules", DEFAULT_RULES.version] as const;

export function createReuseRules(
    store: VersionedStore,
    onChange: (rules: ConceptRules) => void,
    log: Log,
): ReuseRules {
    const record = createVersionedRecord<RulesRecord>({
        name: "Concept rules",
        store,
        initial: SHIPPED,
        versionOf: ({ rules }) => rules.version,
        parse: parseRecord,
        onChange: ({ rules }) => {
            onChange(rules);
        },
        log,
    });
    return {
        ...record,
        replace: (rules, actor) => {
            const changed = { rules, actor, changedAt: new Date().toISOString() };
            return record.replace(rules.version, () => changed);
        },
    };
}

/** @returns what is wrong with rules of the right form, in words that follow `rules.` */
export function rulesErrors({ synonyms, opposites, places }: ConceptRules): readonly string[] {
    const terms = synonyms.flat().length + opposites.flat().length + places.length;
    const errors =
        terms > MAX_TERMS
            ? [`synonyms, opposites and places have ${terms} terms; allowed: at most ${MAX_TERMS}`]
            : [];
    const namesOf = (group: string, terms: readonly string[]) =>
        terms.map((term, at) => ({ group, name: `${group}.${at}`, term }));
    const fields = [
        synonyms.flatMap((group, list) => namesOf(`synonyms.${list}`, group)),
        opposites.flatMap((group, list) => namesOf(`opposites.${list}`, group)),
        namesOf("places", places),
    ];
    for (const field of fields) {
        // A term of two lists would be replaced by the first term of one of them, or contradict itself.
        const first = new Map<string, string>();
        for (const { group, name, term } of field) {
            const lower = term.toLowerCase();
            const compared = normaliseText(lower).trim();
            const other = first.get(compared);
            first.set(compared, group);
            const allowed =
                compared === ""
                    ? "a term that is not blank"
                    : compared !== lower
                      ? `${JSON.stringify(compared)}, as texts are compared`
                      : other !== undefined && "each term once";
            const where = compared === lower && other !== undefined ? `, as in ${other}` : "";
            if (allowed)
                errors.push(`${name} is ${JSON.stringify(term)}${where}; allowed: ${allowed}`);
        }
    }
    return errors;
}

function parseRecord(text: string): RulesRecord | undefined {
    try {
        const record = JSON.parse(text) as Partial<RulesRecord>;
        const { rules, actor, changedAt } = record;
        if (!Value.Check(CONCEPT_RULES, rules) || rulesErrors(rules).length > 0) return undefined;
        return { rules, actor: String(actor), changedAt };
    } catch {
        return undefined;
    }
}
