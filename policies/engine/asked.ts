import { json, known, type Json, type KubernetesObject } from "../kubernetes/object.ts";
import type { Pod } from "../kubernetes/pods.ts";
import { ConfigError, configOf, type Exemption, type RuleConfig } from "./config.ts";
import { evaluate } from "./evaluate.ts";
import { exemptionOf, hasExpired } from "./exemptions.ts";
import { headlineParts, message } from "./message.ts";
import type { Rule } from "./rule.ts";
import { endingOf, expiredOf, unusedOf, type Run, type RuleRun, type SetExemption } from "./run.ts";

type Report = (message: string, urn?: string) => void;

/** What rules were asked in this process, which is one run of the engine, and what they said. */
export class Asked {
    readonly #now: () => Date;
    readonly #runs = new Map<Rule, RuleRun>();
    readonly #configs = new Map<string, RuleConfig>();
    readonly #declared = new Map<string, Json>();

    constructor(now = () => new Date()) {
        this.#now = now;
    }

    /**
     * Reports what a rule finds. Places where something is unknown are told only after all others: the
     * engine shows the first of them, as advice that the rule could not be asked everywhere.
     *
     * @throws UnknownValueError, ConfigError
     */
    ask(rule: Rule, given: object, objects: readonly KubernetesObject[], report: Report): void {
        const config = this.config(rule, given);
        const begun = performance.now();
        const outcome = evaluate(rule, config, objects, { now: this.#now() });
        const milliseconds = performance.now() - begun;
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

    /** Keeps what a resource is declared to be. */
    declare(urn: string, props: Json): void {
        this.#declared.set(urn, props);
    }

    /**
     * What a resource of the whole stack was declared to be. Once it is there the engine shows what the API
     * server has instead, with what others wrote, and that is left only where an update leaves it out.
     */
    declared(urn: string, stored: Json): Json {
        return this.#declared.get(urn) ?? known(() => withoutServers(stored)) ?? stored;
    }

    /** The same object for the same config: an exemption is known by it. */
    config(rule: Rule, given: object): RuleConfig {
        const key = JSON.stringify([rule.name, given]);
        const config = this.#configs.get(key) ?? checked(rule, given);
        this.#configs.set(key, config);
        return config;
    }

    /** Whether any place of a pod is exempt: a remedy is of the whole pod, and is then left to people. */
    isExempt(pod: Pod, exemptions: readonly Exemption[]): boolean {
        if (exemptions.length === 0) return false;
        return [undefined, ...pod.containers.map(({ name }) => name)].some((container) => {
            const exemption = exemptionOf(exemptions, { object: pod.object, container });
            return exemption !== undefined && !hasExpired(exemption, this.#now());
        });
    }

    /** Exemptions that cover something, each with its places. */
    get used(): (SetExemption & { readonly places: readonly string[] })[] {
        return [...this.#runs.values()].flatMap(({ rule, config, exempt }) =>
            config.exempt
                .map((exemption) => {
                    const covered = exempt.filter((one) => one.exemption === exemption);
                    const places = new Set(covered.map((one) => headlineParts(one).where));
                    return { rule, exemption, places: [...places] };
                })
                .filter(({ places }) => places.length > 0),
        );
    }

    /** Not of a rule that is undecided somewhere: there it may be needed. */
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

/** An object without what no two objects share, since the API server gives it. */
function withoutServers(stored: Json): Json {
    const without = (object: Json, names: readonly string[]) =>
        Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
    return { ...without(stored, ["status"]), metadata: without(json(stored.metadata), SERVERS) };
}

function checked(rule: Rule, given: object): RuleConfig {
    try {
        return configOf(rule, given);
    } catch (error) {
        // The SDK shows an error by its stack, which says nothing to who wrote the config.
        if (error instanceof ConfigError) error.stack = `Error: ${error.message}`;
        throw error;
    }
}
