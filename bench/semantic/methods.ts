import { globalSigmoid, vcachePerEntry } from "./policies/vcache.ts";
import { copyOracle, interpolationOracle } from "./policies/oracle.ts";
import { ours } from "./policies/ours.ts";
import type { CreatePolicy } from "./policies/policy.ts";
import { staticThreshold } from "./policies/threshold.ts";

/** A method of the comparison. */
export interface Method {
    readonly name: string;
    readonly create: CreatePolicy;
    /** Whether its results depend on δ. */
    readonly usesBudget: boolean;
}

/** 0.80 to 0.98. */
const THRESHOLDS = Array.from({ length: 19 }, (_, at) => (80 + at) / 100);

/** Prefix of the methods of which the best one is chosen after the fact. */
export const STATIC = "static ";
export const INTERPOLATION = "interpolation";
export const COPY = "copy with our gate";
export const VCACHE = "vCache per entry";
export const COPY_ORACLE = "oracle of copying";

export const METHODS: readonly Method[] = [
    { name: INTERPOLATION, create: ours({ answer: "interpolate" }), usesBudget: true },
    {
        name: `${INTERPOLATION}, labels only`,
        create: ours({ answer: "interpolate", evidence: "labels" }),
        usesBudget: true,
    },
    {
        name: `${INTERPOLATION}, per request`,
        create: ours({ answer: "interpolate", mode: "per-request" }),
        usesBudget: true,
    },
    { name: COPY, create: ours({ answer: "copy" }), usesBudget: true },
    { name: "global sigmoid", create: globalSigmoid, usesBudget: true },
    { name: VCACHE, create: vcachePerEntry, usesBudget: true },
    { name: COPY_ORACLE, create: copyOracle, usesBudget: false },
    { name: "oracle of interpolation", create: interpolationOracle, usesBudget: false },
    ...THRESHOLDS.map((threshold) => ({
        name: `${STATIC}${threshold}`,
        create: staticThreshold(threshold),
        usesBudget: false,
    })),
];
