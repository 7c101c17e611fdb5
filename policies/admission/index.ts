import { policiesOf } from "../stacks.ts";
import { RULES } from "../rules/index.ts";
import { admissionPolicies, type AdmissionObject } from "./policies.ts";

export type { AdmissionObject };

/**
 * What the API server enforces of a stack's policies.
 *
 * @param registry that the stack's images come from. Undefined: public ones.
 * @throws ConfigError when the policies are wrong
 */
export function admissionOf(stack: string, registry?: string): AdmissionObject[] {
    return admissionPolicies(RULES, policiesOf(stack, { registry }));
}
