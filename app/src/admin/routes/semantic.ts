import { CACHE_MODES } from "@property-search/contract";
import { Type } from "typebox";

import type { Item } from "../../cache/item.ts";
import { HttpError, invalidFieldError } from "../../http/protocol/error.ts";
import type { Log } from "../../log.ts";
import type { ReuseConfig } from "../../reuse/config.ts";
import {
    MAX_TEXT_CHARACTERS,
    type InspectionFailure,
    type Reuse,
    type TenantReport,
} from "../../reuse/reuse.ts";
import type { ReuseRules } from "../../reuse/rules/rules.ts";
import { mostTokens } from "../../reuse/thread/tokenLimit.ts";
import { VETOES } from "../../semantic/vetoes.ts";
import type { Entries, EntryInput } from "../entries/entries.ts";
import { MAX_TEXT_BODY_BYTES } from "../app.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, Key, strict, Tenant } from "./schemas.ts";

const Bound = Type.Number({ description: "Share of wrong answers, at a confidence of 0.95" });

const NamespaceState = Type.Object({
    tenant: Type.String(),
    dimensions: Type.Integer(),
    entries: Type.Integer(),
    state: Type.Enum(["learning", "serving", "exhausted"]),
    reason: Type.Union([Type.String(), Type.Null()]),
    minCosine: Type.Number({ description: "ρ: minimum cosine of a right answer" }),
    overlap: Type.Union([Type.Number(), Type.Null()]),
    labels: Type.Integer({ description: "Answers whose true vector is known" }),
    labelled: Type.Integer({ description: "Audits since the budget opened" }),
    wrong: Type.Integer(),
    served: Type.Integer(),
    requests: Type.Integer(),
    exhaustions: Type.Integer(),
    answerBound: Bound,
    requestBound: Bound,
    servedBound: Bound,
    fittedOn: Type.Integer({ description: "Texts that the map of signatures is fitted on" }),
});

const State = Type.Object({
    defaultMode: Type.Enum([...CACHE_MODES]),
    offReason: Type.Union([Type.String(), Type.Null()]),
    errorBudget: Type.Number(),
    errorBudgetScope: Type.String(),
    thread: Type.Object({
        state: Type.String(),
        restarts: Type.Integer(),
        lastError: Type.Union([Type.String(), Type.Null()]),
    }),
    rulesVersion: Type.Union([Type.Integer(), Type.Null()]),
    namespaces: Type.Array(NamespaceState),
});

const Lookup = strict({
    tenant: Tenant,
    // No schema: the parser of client requests validates it.
    input: Type.Unsafe<unknown>({ description: "One text" }),
    dimensions: Type.Optional(
        Type.Integer({ minimum: 1, description: "As in the client's request" }),
    ),
    vector: Type.Boolean({ default: false, description: "Include the predicted vector" }),
});

const Inspected = Type.Object({
    key: Key,
    flagged: Type.Boolean({ description: "A flagged text is never answered from others" }),
    neighbours: Type.Array(
        Type.Object({
            key: Key,
            similarity: Type.Number(),
            veto: Type.Union([Type.Enum([...VETOES]), Type.Null()]),
        }),
    ),
    expectedCosine: Type.Union([Type.Number(), Type.Null()]),
    vector: Type.Optional(Type.Array(Type.Number())),
});

export interface SemanticRoutesDependencies {
    /** Undefined: semantic reuse is off. */
    readonly semantic:
        | {
              readonly config: ReuseConfig;
              readonly reuse: Pick<Reuse, "inspect" | "report">;
              readonly rules: Pick<ReuseRules, "current" | "replace">;
          }
        | undefined;
    readonly entries: Pick<Entries, "itemOf" | "flags">;
    /** Whether this pod shares the rules with other pods. */
    readonly shared: boolean;
    readonly log: Log;
}

/** @throws HttpError 409 */
export function requireReuse(semantic: SemanticRoutesDependencies["semantic"]) {
    if (semantic) return semantic;
    const message = "service.semanticMode is off; allowed: optIn, optOut";
    throw new HttpError(409, message, { code: "semantic_off" });
}

/** Routes that show semantic reuse and what it would answer. */
export function semanticRoutes(dependencies: SemanticRoutesDependencies): AdminRoutes {
    const { semantic, entries } = dependencies;

    return (app) => {
        app.get(
            "/semantic",
            {
                schema: {
                    summary: "Get the state of semantic reuse in this pod, by tenant",
                    response: { 200: State, "4xx": Failure },
                },
            },
            () => {
                const { config, reuse, rules } = requireReuse(semantic);
                const { defaultMode, errorBudget, errorBudgetScope } = config;
                const { thread, offReason, namespaces } = reuse.report();
                return {
                    defaultMode,
                    offReason: offReason ?? null,
                    errorBudget,
                    errorBudgetScope,
                    thread: { ...thread, lastError: thread.lastError ?? null },
                    rulesVersion: rules.current().rules.version,
                    namespaces: namespaces.map(formatNamespace),
                };
            },
        );
        app.post(
            "/semantic/inspect",
            {
                bodyLimit: MAX_TEXT_BODY_BYTES,
                schema: {
                    summary: "Show the neighbours that a text would be answered from",
                    body: Lookup,
                    response: { 200: Inspected, "4xx": Failure, "5xx": Failure },
                },
            },
            async ({ body: { vector: withVector, ...input } }) => {
                const { reuse } = requireReuse(semantic);
                const { item, dimensions } = entries.itemOf(input);
                checkLength(item);
                const { tenant } = input;
                const context = { pool: tenant, tenant, dimensions };
                const found = await reuse.inspect(item, context);
                if (typeof found === "string") throw inspectionErrors[found](input);
                const { candidate, neighbours } = found;
                return {
                    key: item.key,
                    flagged: entries.flags().some(({ key }) => key === item.key),
                    neighbours: [...neighbours],
                    expectedCosine: candidate?.expectedCosine ?? null,
                    ...(withVector && candidate && { vector: Array.from(candidate.vector) }),
                };
            },
        );
    };
}

/** @throws HttpError if a lookup would not be applicable to the text */
function checkLength({ input }: Item): void {
    if (input.kind !== "text")
        throw invalidFieldError("input", "input is a list of token IDs; allowed: one text");
    const { length } = input.text;
    if (length <= MAX_TEXT_CHARACTERS) return;
    const message = `input has ${length} characters; allowed: at most ${MAX_TEXT_CHARACTERS}`;
    throw invalidFieldError("input", message);
}

const inspectionErrors: Record<InspectionFailure, (input: EntryInput) => HttpError> = {
    "no texts": ({ tenant, dimensions = "that of the model" }) =>
        new HttpError(
            404,
            `tenant is ${JSON.stringify(tenant)}, dimensions is ${dimensions}: this pod has no texts of it; allowed: those of GET /semantic`,
            { param: "tenant", code: "no_texts" },
        ),
    "too many tokens": () =>
        invalidFieldError(
            "input",
            `input has too many tokens of the local model; allowed: at most ${mostTokens(1)}`,
        ),
    unavailable: () =>
        new HttpError(503, "The thread of semantic reuse does not respond; see GET /semantic", {
            type: "server_error",
            code: "semantic_unavailable",
            retryAfterSeconds: 1,
        }),
};

/** JSON has no NaN. */
function formatNamespace({ overlap, reason, ...one }: TenantReport) {
    return {
        ...one,
        reason: reason ?? null,
        overlap: Number.isFinite(overlap) ? overlap : null,
    };
}
