import {
    createNamespace,
    type Decision,
    type Entry,
    type Query,
} from "../../../app/src/semantic/namespace.ts";
import type { Place } from "../corpus.ts";
import type { CreatePolicy, Miss } from "./policy.ts";

/** Overlap@10 from which ρ is calibrated. */
const OVERLAP = 0.8;
export const AUDIT_SHARE = 0.02;

/** Defaults: the budget limits the error per hit, with a confidence of 0.8. */
export interface OwnOptions {
    readonly answer: "interpolate" | "copy";
    readonly mode?: "per-hit" | "per-request";
    readonly confidence?: number;
    readonly evidence?: "prior" | "labels";
}

/** The service's own library, with true vectors from the corpus. */
export function ours(options: OwnOptions): CreatePolicy {
    const { answer, mode = "per-hit", confidence = 0.8, evidence = "prior" } = options;
    return ({ corpus, minCosine, budget, random }) => {
        const namespace = createNamespace({
            dimensions: corpus.dimensions,
            signatureDimensions: corpus.dimensions,
            mode,
            budget,
            auditShare: AUDIT_SHARE,
            confidence,
            evidence,
            right: minCosine === undefined ? { overlap: OVERLAP } : { cosine: minCosine },
            answer,
            random,
        });
        const entries = new Map<Place, Entry>();
        let last: { readonly query: Query; readonly decision: Decision } | undefined;

        function queryOf({ place, near, paid }: Miss): Query {
            return {
                text: corpus.text(place),
                facts: corpus.facts(place),
                signature: corpus.signature(place),
                near: near.flatMap(({ place: other, similarity }) => {
                    const entry = entries.get(other);
                    return entry ? [{ entry, similarity }] : [];
                }),
                entries: paid,
            };
        }

        return {
            onExact: namespace.onExact,
            answer: (miss) => {
                const query = queryOf(miss);
                const decision = namespace.decide(query);
                last = { query, decision };
                return decision.kind === "serve" ? decision.candidate.vector : undefined;
            },
            isAudit: () => last?.decision.kind === "audit",
            learn: ({ place }) => {
                if (!last) return;
                entries.set(place, namespace.learn(last.query, last.decision, corpus.truth(place)));
            },
            bounds: () => {
                const { answerBound, servedBound } = namespace.state();
                return { answers: answerBound, served: servedBound };
            },
            minCosine: () => namespace.state().minCosine,
        };
    };
}
