export type { Comparison, Roles } from "./comparisons.ts";
export {
    judge,
    observe,
    type ColourFigures,
    type Figures,
    type Judgement,
    type Verdict,
} from "./judge.ts";
export { checkLimits, DEFAULT_LIMITS, type Limits } from "./limits.ts";
export {
    NoData,
    type ColourSample,
    type Evidence,
    type Observation,
    type Window,
} from "./observation.ts";
export { prometheusEvidence, type Ask, type PrometheusEvidenceArgs } from "./prometheus.ts";
