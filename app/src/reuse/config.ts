import type { CacheMode } from "@property-search/contract";
import type { ERROR_BUDGET_SCOPES } from "@property-search/contract/settings";

import { emptyToUndefined, type SettingsReader } from "../settingsReader.ts";

/** Settings of semantic reuse. */
export interface ReuseConfig {
    /** Mode of requests whose header and tenant name none. */
    readonly defaultMode: CacheMode;
    /** δ, in (0, 1). */
    readonly errorBudget: number;
    readonly errorBudgetScope: (typeof ERROR_BUDGET_SCOPES)[number];
    /** Least share of the answers that are audited, in (0, 1). */
    readonly auditShare: number;
    /** With which the error must be within the budget, in [0.5, 1). */
    readonly confidence: number;
    /** Texts of all tenants. */
    readonly maxEntries: number;
    /** Directory of the model that computes signatures. */
    readonly modelDirectory: string | undefined;
    /** Secret from which the key of the texts in Redis is derived. Undefined: they are not stored. */
    readonly textSecret: string | undefined;
}

/** @returns undefined if semantic reuse is off */
export function readReuseConfig({ values }: SettingsReader): ReuseConfig | undefined {
    if (values.semanticMode === "off") return undefined;
    return {
        defaultMode: values.semanticMode === "optOut" ? "semantic" : "exact",
        errorBudget: Number(values.semanticErrorBudget),
        errorBudgetScope: values.semanticErrorBudgetScope,
        auditShare: Number(values.semanticAuditShare),
        confidence: Number(values.semanticConfidence),
        maxEntries: values.semanticMaxEntries,
        modelDirectory: emptyToUndefined(values.modelDirectory),
        textSecret: emptyToUndefined(values.adminToken),
    };
}
