import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { registryGlobs } from "./core/images.ts";
import { ConfigError, type StackPolicies } from "./core/config.ts";

const IMAGE_REGISTRY = "image-registry";
const FOLDER = path.join(import.meta.dirname, "stacks");

/** The strictest stack, whose policies hold for every stack without a file of its own. */
const STRICTEST = "prod";

/** File with the levels, thresholds and exemptions of a stack; a new stack has those of the strictest. */
export function policyFileOf(stack: string): string {
    const file = path.join(FOLDER, `${stack}.json`);
    return existsSync(file) ? file : path.join(FOLDER, `${STRICTEST}.json`);
}

/**
 * The levels, thresholds and exemptions of a stack.
 *
 * @param registry that the stack's images come from. Undefined: those that its file allows.
 */
export function policiesOf(stack: string, registry?: string): StackPolicies {
    const policies = readPolicies(policyFileOf(stack));
    return registry === undefined ? policies : withRegistry(policies, registry);
}

/** The registry that a stack's config file sets for images; undefined where it sets none. */
export function registryOf(stack: string, root = path.join(FOLDER, "../..")): string | undefined {
    const file = path.join(root, `Pulumi.${stack}.yaml`);
    if (!existsSync(file)) return undefined;
    const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as {
        config?: Record<string, unknown>;
    };
    const registry = config?.["property-search:images.registry"] ?? config?.["images.registry"];
    return typeof registry === "string" && registry !== "" ? registry : undefined;
}

/** Policies by which images come from one registry, in the place of public ones. */
export function withRegistry(policies: StackPolicies, registry: string): StackPolicies {
    const set = policies[IMAGE_REGISTRY];
    // A level alone stands for the rule's own settings.
    const settings =
        typeof set === "object" ? set : set === undefined ? {} : { enforcementLevel: set };
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
