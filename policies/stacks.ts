import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { ConfigError, type StackPolicies } from "./engine/config.ts";
import { registryGlobs } from "./kubernetes/images.ts";

const IMAGE_REGISTRY = "image-registry";
const REFERENCES = "references";
const FOLDER = path.join(import.meta.dirname, "stacks");

/** The strictest stack, whose policies are the base of every other stack. */
const STRICTEST = "prod";
/** Stacks whose files are complete: missing settings have the defaults of the rule. */
const SELF_CONTAINED: readonly string[] = ["dev", "local", STRICTEST];

/** Config keys with names of Secrets that are created outside the stack. */
const EXISTING_SECRETS = [
    "images.pullSecrets",
    "redis.secretName",
    "redis.caSecretName",
    "redis.certSecretName",
];

/** Values of a stack's config that its policies depend on. */
export interface PolicyInputs {
    /** Registry of the stack's images. Undefined: those that its policies allow. */
    readonly registry?: string | undefined;
    /** Names of Secrets that are created outside the stack. Default: none. */
    readonly secrets?: readonly string[];
}

/** @returns the file with a stack's policies; undefined if no single file contains them. */
export function findPolicyFile(stack: string, inputs: PolicyInputs = {}): string | undefined {
    const file = path.join(FOLDER, `${SELF_CONTAINED.includes(stack) ? stack : STRICTEST}.json`);
    return isDeepStrictEqual(readPolicyFile(file), readStackPolicies(stack, inputs))
        ? file
        : undefined;
}

/**
 * Reads the levels, thresholds and exemptions of a stack: those of the strictest stack, overridden by its own file.
 *
 * @param folder with a file per stack
 */
export function readStackPolicies(
    stack: string,
    { registry, secrets = [] }: PolicyInputs = {},
    folder = FOLDER,
): StackPolicies {
    const own = path.join(folder, `${stack}.json`);
    const strict = () => readPolicyFile(path.join(FOLDER, `${STRICTEST}.json`));
    const base = SELF_CONTAINED.includes(stack)
        ? readPolicyFile(own)
        : mergePolicies(strict(), existsSync(own) ? readPolicyFile(own) : {});
    const named = secrets.length === 0 ? base : withSecrets(base, secrets);
    return registry === undefined ? named : withRegistry(named, registry);
}

/** Settings of a stack's config file that its policies depend on. */
export function readPolicyInputs(stack: string, root = path.join(FOLDER, "../..")): PolicyInputs {
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

/** Overrides the settings of each rule. Exemptions are added to those of the base. */
function mergePolicies(base: StackPolicies, own: StackPolicies): StackPolicies {
    const rules = Object.entries(own).map(([rule, value]) => {
        const [under, over] = [toSettings(base[rule]), toSettings(value)];
        // The rule's parser reports invalid values.
        if (!under || !over) return [rule, value];
        const exempt = [under.exempt ?? [], over.exempt ?? []].flat();
        return [rule, { ...under, ...over, ...(exempt.length > 0 && { exempt }) }];
    });
    return { ...base, ...(Object.fromEntries(rules) as StackPolicies) };
}

/** Converts a rule's level or settings to settings. @returns undefined for any other value */
function toSettings(set: unknown = {}): Readonly<Record<string, unknown>> | undefined {
    if (typeof set === "string") return { enforcementLevel: set };
    const isObject = typeof set === "object" && set !== null && !Array.isArray(set);
    return isObject ? (set as Readonly<Record<string, unknown>>) : undefined;
}

/** Adds Secrets that are created outside the stack. */
function withSecrets(policies: StackPolicies, secrets: readonly string[]): StackPolicies {
    const set = toSettings(policies[REFERENCES]);
    if (!set) return policies;
    const external = [set.external ?? [], secrets.map((name) => `Secret/${name}`)].flat();
    return { ...policies, [REFERENCES]: { ...set, external: [...new Set(external)] } };
}

/** Replaces public registries with one registry. */
export function withRegistry(policies: StackPolicies, registry: string): StackPolicies {
    const settings = toSettings(policies[IMAGE_REGISTRY]);
    const { registries = [] } = (settings ?? {}) as { registries?: readonly string[] };
    return {
        ...policies,
        [IMAGE_REGISTRY]: { ...settings, registries: registryGlobs(registries, registry) },
    };
}

/** @throws ConfigError for a file that is not a JSON object */
export function readPolicyFile(file: string): StackPolicies {
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
