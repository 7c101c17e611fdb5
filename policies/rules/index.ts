import type { Rule } from "../core/rule.ts";
import { memoryLimit } from "./memoryLimit.ts";
import { readinessProbe } from "./readinessProbe.ts";

/** All rules, in the order in which they are told. */
export const RULES: readonly Rule[] = [readinessProbe, memoryLimit];
