import { randomUUID } from "node:crypto";

import { ADMIN_PATHS } from "@property-search/contract";
import { Type } from "typebox";

import { HttpError } from "../../http/protocol/error.ts";
import { VERSION_PROPAGATION_MILLISECONDS } from "../../redis/versionedRecord.ts";
import { rulesErrors, type RulesRecord } from "../../reuse/rules/rules.ts";
import { CONCEPT_RULES } from "../../semantic/conceptRules.ts";
import { MIN_CONTEXTS } from "../../semantic/termPairs.ts";
import { replacementError } from "../replacementError.ts";
import { MAX_TEXT_BODY_BYTES } from "../app.ts";
import type { AdminRoutes } from "../server.ts";
import { Actor, Failure, strict } from "./schemas.ts";
import { requireReuse, type SemanticRoutesDependencies } from "./semantic.ts";

const POD = randomUUID();

const Rules = Type.Object({
    rules: CONCEPT_RULES,
    actor: Type.String(),
    changedAt: Type.Union([Type.String(), Type.Null()]),
});

const Pair = Type.Object({
    tenant: Type.String(),
    dimensions: Type.Integer(),
    terms: Type.Tuple([Type.String(), Type.String()]),
    right: Type.Integer({ description: "Distinct contexts in which the answer was right" }),
    wrong: Type.Integer(),
});

const Pairs = Type.Object({
    pod: Type.String({ description: "ID of this process, whose audits produced the pairs" }),
    minContexts: Type.Integer({ description: "Pairs with fewer are not shown" }),
    pairs: Type.Array(Pair),
});

const Replaced = Type.Object({
    ...Rules.properties,
    propagationMilliseconds: Type.Integer({
        description: "Until then, other pods may still use the previous rules",
    }),
});

/** Routes that show and replace concept rules, and the terms that may belong into them. */
export function conceptRulesRoutes({
    semantic,
    shared,
    log,
}: Omit<SemanticRoutesDependencies, "entries">): AdminRoutes {
    return (app) => {
        app.get(
            ADMIN_PATHS.termPairs,
            {
                schema: {
                    summary: "List terms by which texts of audited answers differed, in this pod",
                    response: { 200: Pairs, "4xx": Failure },
                },
            },
            () => ({
                pod: POD,
                minContexts: MIN_CONTEXTS,
                pairs: requireReuse(semantic)
                    .reuse.report()
                    .namespaces.flatMap(({ tenant, dimensions, termPairs }) =>
                        termPairs.map(({ terms: [one, other], right, wrong }) => ({
                            ...{ tenant, dimensions, right, wrong },
                            terms: [one, other] as [string, string],
                        })),
                    ),
            }),
        );
        app.get(
            ADMIN_PATHS.conceptRules,
            {
                schema: {
                    summary: "Get the concept rules",
                    response: { 200: Rules, "4xx": Failure },
                },
            },
            () => formatRules(requireReuse(semantic).rules.current()),
        );
        app.put(
            ADMIN_PATHS.conceptRules,
            {
                bodyLimit: MAX_TEXT_BODY_BYTES,
                schema: {
                    summary: "Replace the concept rules of all pods",
                    body: strict({ actor: Actor, rules: CONCEPT_RULES }),
                    response: { 200: Replaced, "4xx": Failure, "5xx": Failure },
                },
            },
            async ({ body: { actor, rules } }) => {
                const { rules: current } = requireReuse(semantic);
                const [error] = rulesErrors(rules);
                if (error !== undefined)
                    throw new HttpError(400, `rules.${error}`, { param: "rules" });
                try {
                    const replaced = await current.replace(rules, actor);
                    return {
                        ...formatRules(replaced),
                        propagationMilliseconds: shared ? VERSION_PROPAGATION_MILLISECONDS : 0,
                    };
                } catch (cause) {
                    throw replacementError(cause, {
                        prefix: "rules.",
                        path: ADMIN_PATHS.conceptRules,
                        log,
                    });
                }
            },
        );
    };
}

function formatRules({ rules, actor, changedAt }: RulesRecord) {
    return { rules, actor, changedAt: changedAt ?? null };
}
