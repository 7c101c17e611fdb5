import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { ConfigError, type StackPolicies } from "./engine/config.ts";
import { registryGlobs } from "./kubernetes/images.ts";

const IMAGE_REGISTRY = "image-registry";
const REFERENCES = "references";
const FOLDER = path.join(import.meta.dirname, "stacks");

/** The strictest stack, whose policies every stack of one's own begins with. */
const STRICTEST = "prod";
/** Stacks whose files say everything: what they leave out is a rule's default. */
const WHOLE: readonly string[] = ["dev", "local", STRICTEST];

/** Config keys of Secrets that somebody else makes. */
const EXISTING_SECRETS = [
    "images.pullSecrets",
    "redis.secretName",
    "redis.caSecretName",
    "redis.certSecretName",
];

/** What a stack's config says that its policies depend on. */
export interface PolicyInputs {
    /** The registry that the stack's images come from. Undefined: those that its policies allow. */
    readonly registry?: string | undefined;
    /** Names of Secrets that somebody else makes. Default: none. */
    readonly secrets?: readonly string[];
}

/** A file that holds the policies of a stack as they are; undefined where only `policiesOf` has them. */
export function policyFileOf(stack: string, inputs: PolicyInputs = {}): string | undefined {
    const file = path.join(FOLDER, `${WHOLE.includes(stack) ? stack : STRICTEST}.json`);
    return isDeepStrictEqual(readPolicies(file), policiesOf(stack, inputs)) ? file : undefined;
}

/**
 * The levels, thresholds and exemptions of a stack: those of the strictest, under what the stack's own file sets.
 *
 * @param folder of the files, by the names of stacks
 */
export function policiesOf(
    stack: string,
    { registry, secrets = [] }: PolicyInputs = {},
    folder = FOLDER,
): StackPolicies {
    const own = path.join(folder, `${stack}.json`);
    const strict = () => readPolicies(path.join(FOLDER, `${STRICTEST}.json`));
    const base = WHOLE.includes(stack)
        ? readPolicies(own)
        : laidOver(strict(), existsSync(own) ? readPolicies(own) : {});
    const named = secrets.length === 0 ? base : withSecrets(base, secrets);
    return registry === undefined ? named : withRegistry(named, registry);
}

/** What a stack's config file says that its policies depend on. */
export function policyInputsOf(stack: string, root = path.join(FOLDER, "../..")): PolicyInputs {
    const file = path.join(root, `Pulumi.${stack}.yaml`);
    if (!existsSync(file)) return {};
    const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as {
        config?: Record<string, unknown>;
    };
    const valueOf = (key: string) => config?.[`property-search:${key}`] ?? config?.[key];
    const isName = (value: unknown) => typeof value === "string" && value !== "";
    const registry = valueOf("images.registry");
    const secrets = EXISTING_SECRETS.flatMap((key) => [valueOf(key)].flat()).filter(isName);
    return {
        ...(isName(registry) && { registry: registry as string }),
        ...(secrets.length > 0 && { secrets: secrets as string[] }),
    };
}

/** Each rule's settings over those of a base. Exemptions are added to the base's. */
function laidOver(base: StackPolicies, own: StackPolicies): StackPolicies {
    const rules = Object.entries(own).map(([rule, given]) => {
        const [under, over] = [settingsOf(base[rule]), settingsOf(given)];
        // What is none is refused where it is read, in the rule's own words.
        if (!under || !over) return [rule, given];
        const exempt = [under.exempt ?? [], over.exempt ?? []].flat();
        return [rule, { ...under, ...over, ...(exempt.length > 0 && { exempt }) }];
    });
    return { ...base, ...(Object.fromEntries(rules) as StackPolicies) };
}

/** Settings of a rule; a level alone stands for the rule's own. Undefined: neither. */
function settingsOf(set: unknown = {}): Readonly<Record<string, unknown>> | undefined {
    if (typeof set === "string") return { enforcementLevel: set };
    const isObject = typeof set === "object" && set !== null && !Array.isArray(set);
    return isObject ? (set as Readonly<Record<string, unknown>>) : undefined;
}

/** Policies by which some Secrets are made by somebody else. */
function withSecrets(policies: StackPolicies, secrets: readonly string[]): StackPolicies {
    const set = settingsOf(policies[REFERENCES]);
    if (!set) return policies;
    const elsewhere = [set.elsewhere ?? [], secrets.map((name) => `Secret/${name}`)].flat();
    return { ...policies, [REFERENCES]: { ...set, elsewhere: [...new Set(elsewhere)] } };
}

/** Policies by which images come from one registry, in the place of public ones. */
export function withRegistry(policies: StackPolicies, registry: string): StackPolicies {
    const settings = settingsOf(policies[IMAGE_REGISTRY]);
    const { registries = [] } = (settings ?? {}) as { registries?: readonly string[] };
    return {
        ...policies,
        [IMAGE_REGISTRY]: { ...settings, registries: registryGlobs(registries, registry) },
    };
}

/** @throws ConfigError for a file that is no JSON, or no object */
export function readPolicies(file: string): StackPolicies {
    let value: unknown;
    try {
        value = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new ConfigError(`${file}: ${(error as Error).message}`, { cause: error });
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        return value as StackPolicies;
    }
    throw new ConfigError(`${file} is ${JSON.stringify(value)}; allowed: an object, by rule`);
}
