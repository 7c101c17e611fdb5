import { readStackPolicies } from "../stacks.ts";
import { RULES } from "../rules/index.ts";
import { toAdmissionPolicies, type AdmissionObject } from "./policies.ts";

export type { AdmissionObject };

/**
 * Creates the admission policies of a stack.
 *
 * @param registry of the stack's images. Undefined: public registries
 * @throws ConfigError if the stack's policies are invalid
 */
export function createAdmissionObjects(stack: string, registry?: string): AdmissionObject[] {
    return toAdmissionPolicies(RULES, readStackPolicies(stack, { registry }));
}
