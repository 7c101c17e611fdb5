import { policiesOf } from "../stacks.ts";
import { RULES } from "../rules/index.ts";
import { admissionPolicies, type AdmissionObject } from "./policies.ts";

export type { AdmissionObject };

/** What the API server enforces of a stack's policies. @throws ConfigError when these are wrong */
export function admissionOf(stack: string): AdmissionObject[] {
    return admissionPolicies(RULES, policiesOf(stack));
}
