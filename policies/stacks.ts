import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ConfigError, type StackPolicies } from "./core/config.ts";

const FOLDER = path.join(import.meta.dirname, "stacks");

/** The strictest stack, whose policies hold for every stack without a file of its own. */
const STRICTEST = "prod";

/** File with the levels, thresholds and exemptions of a stack; a new stack has those of the strictest. */
export function policyFileOf(stack: string): string {
    const file = path.join(FOLDER, `${stack}.json`);
    return existsSync(file) ? file : path.join(FOLDER, `${STRICTEST}.json`);
}

/** The levels, thresholds and exemptions of a stack. */
export function policiesOf(stack: string): StackPolicies {
    return readPolicies(policyFileOf(stack));
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
