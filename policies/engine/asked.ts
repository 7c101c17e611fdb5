import { json, known, type Json, type KubernetesObject } from "../kubernetes/object.ts";
import type { Pod } from "../kubernetes/pods.ts";
import { ConfigError, configOf, type Exemption, type RuleConfig } from "./config.ts";
import { evaluate } from "./evaluate.ts";
import { exemptionOf, hasExpired } from "./exemptions.ts";
import { headlineParts, message } from "./message.ts";
import type { Rule } from "./rule.ts";
import { endingOf, expiredOf, unusedOf, type Run, type RuleRun, type SetExemption } from "./run.ts";

type Report = (message: string, urn?: string) => void;

/** Results of all rules in this process, which is one run of Pulumi's engine. */
export class Asked {
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
    ask(rule: Rule, rawConfig: object, objects: readonly KubernetesObject[], report: Report): void {
        const config = this.config(rule, rawConfig);
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
            report(message(violation), violation.object.urn);
        }
        const [first] = outcome.undecided;
        if (first) throw first;
    }

    /** Stores the declared inputs of a resource. */
    declare(urn: string, props: Json): void {
        this.#declared.set(urn, props);
    }

    /**
     * @returns the declared inputs of a resource. For an existing resource the engine passes the state of the API
     *   server instead, with fields that others wrote; it is used only if the inputs are unknown.
     */
    declared(urn: string, stored: Json): Json {
        return this.#declared.get(urn) ?? known(() => withoutServers(stored)) ?? stored;
    }

    /** Returns the same object for equal configs, since exemptions are compared by identity. */
    config(rule: Rule, rawConfig: object): RuleConfig {
        const key = JSON.stringify([rule.name, rawConfig]);
        const config = this.#configs.get(key) ?? checked(rule, rawConfig);
        this.#configs.set(key, config);
        return config;
    }

    /** @returns whether any part of a pod is exempt; remediation changes whole pods and then skips it. */
    isExempt(pod: Pod, exemptions: readonly Exemption[]): boolean {
        if (exemptions.length === 0) return false;
        return [undefined, ...pod.containers.map(({ name }) => name)].some((container) => {
            const exemption = exemptionOf(exemptions, { object: pod.object, container });
            return exemption !== undefined && !hasExpired(exemption, this.#now());
        });
    }

    /** Exemptions that match something, each with its places. */
    get used(): (SetExemption & { readonly places: readonly string[] })[] {
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
    get unused(): SetExemption[] {
        const expired = new Set(this.expired.map(({ exemption }) => exemption));
        const decided = [...this.#runs.values()].filter(({ undecided }) => undecided.length === 0);
        return unusedOf(this.#run(decided)).filter(({ exemption }) => !expired.has(exemption));
    }

    get ending(): SetExemption[] {
        return endingOf(this.#run([...this.#runs.values()]));
    }

    get now(): Date {
        return this.#now();
    }

    get expired(): SetExemption[] {
        return expiredOf(this.#run([...this.#runs.values()]));
    }

    #run(rules: readonly RuleRun[]): Run {
        return { rules, objects: 0, now: this.#now() };
    }
}

const SERVERS = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"];

/** Removes fields that the API server sets to a unique value for each object. */
function withoutServers(stored: Json): Json {
    const without = (object: Json, names: readonly string[]) =>
        Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
    return { ...without(stored, ["status"]), metadata: without(json(stored.metadata), SERVERS) };
}

function checked(rule: Rule, rawConfig: object): RuleConfig {
    try {
        return configOf(rule, rawConfig);
    } catch (error) {
        // The SDK prints an error's stack, which does not help the author of the config.
        if (error instanceof ConfigError) error.stack = `Error: ${error.message}`;
        throw error;
    }
}
