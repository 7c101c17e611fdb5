import { asJson, ifKnown, type Json, type KubernetesObject } from "../kubernetes/object.ts";
import type { Pod } from "../kubernetes/pods.ts";
import { ConfigError, parseRuleConfig, type Exemption, type RuleConfig } from "./config.ts";
import { evaluate } from "./evaluate.ts";
import { findExemption, hasExpired } from "./exemptions.ts";
import { headlineParts, formatMessage } from "./message.ts";
import type { Rule } from "./rule.ts";
import {
    findExpiring,
    findExpired,
    findUnused,
    type Run,
    type RuleRun,
    type RuleExemption,
} from "./run.ts";

type Report = (message: string, urn?: string) => void;

/** Results of all rules in this process, which is one run of Pulumi's engine. */
export class PackSession {
    readonly #now: () => Date;
    readonly #runs = new Map<Rule, RuleRun>();
    readonly #configs = new Map<string, RuleConfig>();
    readonly #declared = new Map<string, Json>();

    constructor(now = () => new Date()) {
        this.#now = now;
    }

    /**
     * Checks a rule and reports its violations. The first undecided place is thrown after all others have been
     * reported: the engine shows it as an advisory message that the rule could not be checked everywhere.
     *
     * @throws UnknownValueError, ConfigError
     */
    check(
        rule: Rule,
        rawConfig: object,
        objects: readonly KubernetesObject[],
        report: Report,
    ): void {
        const config = this.configFor(rule, rawConfig);
        const start = performance.now();
        const outcome = evaluate(rule, config, objects, { now: this.#now() });
        const milliseconds = performance.now() - start;
        const before = this.#runs.get(rule);
        this.#runs.set(rule, {
            rule,
            config,
            violations: [...(before?.violations ?? []), ...outcome.violations],
            exempt: [...(before?.exempt ?? []), ...outcome.exempt],
            undecided: [...(before?.undecided ?? []), ...outcome.undecided],
            milliseconds: milliseconds + (before?.milliseconds ?? 0),
        });
        for (const violation of outcome.violations) {
            report(formatMessage(violation), violation.object.urn);
        }
        const [first] = outcome.undecided;
        if (first) throw first;
    }

    /** Stores the declared inputs of a resource. */
    recordDeclaration(urn: string, props: Json): void {
        this.#declared.set(urn, props);
    }

    /** Whether the program no longer declares a resource. After a refresh the engine passes those, too. */
    isRemoved(urn: string): boolean {
        return this.#declared.size > 0 && !this.#declared.has(urn);
    }

    /**
     * @returns the declared inputs of a resource. For an existing resource the engine passes the state of the API
     *   server instead, with fields that others wrote; it is used only if the inputs are unknown.
     */
    declaredProps(urn: string, stored: Json): Json {
        return this.#declared.get(urn) ?? ifKnown(() => withoutServerFields(stored)) ?? stored;
    }

    /** Returns the same object for equal configs, since exemptions are compared by identity. */
    configFor(rule: Rule, rawConfig: object): RuleConfig {
        const key = JSON.stringify([rule.name, rawConfig]);
        const config = this.#configs.get(key) ?? parseWithShortStack(rule, rawConfig);
        this.#configs.set(key, config);
        return config;
    }

    /** @returns whether any part of a pod is exempt; remediation changes whole pods and then skips it. */
    isExempt(pod: Pod, exemptions: readonly Exemption[]): boolean {
        if (exemptions.length === 0) return false;
        return [undefined, ...pod.containers.map(({ name }) => name)].some((container) => {
            const exemption = findExemption(exemptions, { object: pod.object, container });
            return exemption !== undefined && !hasExpired(exemption, this.#now());
        });
    }

    /** Exemptions that match something, each with its places. */
    get usedExemptions(): (RuleExemption & { readonly places: readonly string[] })[] {
        return [...this.#runs.values()].flatMap(({ rule, config, exempt }) =>
            config.exempt
                .map((exemption) => {
                    const matched = exempt.filter((one) => one.exemption === exemption);
                    const places = new Set(matched.map((one) => headlineParts(one).where));
                    return { rule, exemption, places: [...places] };
                })
                .filter(({ places }) => places.length > 0),
        );
    }

    /** Excludes rules with undecided places, which may need the exemption. */
    get unusedExemptions(): RuleExemption[] {
        const expired = new Set(this.expiredExemptions.map(({ exemption }) => exemption));
        const decided = [...this.#runs.values()].filter(({ undecided }) => undecided.length === 0);
        return findUnused(this.#run(decided)).filter(({ exemption }) => !expired.has(exemption));
    }

    get expiringExemptions(): RuleExemption[] {
        return findExpiring(this.#run([...this.#runs.values()]));
    }

    get now(): Date {
        return this.#now();
    }

    get expiredExemptions(): RuleExemption[] {
        return findExpired(this.#run([...this.#runs.values()]));
    }

    #run(rules: readonly RuleRun[]): Run {
        return { rules, objects: 0, now: this.#now() };
    }
}

const SERVER_FIELDS = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
];

/** Removes fields that the API server sets to a unique value for each object. */
function withoutServerFields(stored: Json): Json {
    const without = (object: Json, names: readonly string[]) =>
        Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
    return {
        ...without(stored, ["status"]),
        metadata: without(asJson(stored.metadata), SERVER_FIELDS),
    };
}

function parseWithShortStack(rule: Rule, rawConfig: object): RuleConfig {
    try {
        return parseRuleConfig(rule, rawConfig);
    } catch (error) {
        // The SDK prints an error's stack, which does not help the author of the config.
        if (error instanceof ConfigError) error.stack = `Error: ${error.message}`;
        throw error;
    }
}
