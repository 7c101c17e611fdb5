import { Type } from "typebox";

import type { Ledger } from "../../ledger/ledger.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, strict } from "./schemas.ts";

const Sum = strict({ tokens: Type.Number(), dollars: Type.Number() });
const Sums = Type.Record(Type.String(), Sum);
const Statement = strict({
    since: Type.String(),
    model: Type.String(),
    tenants: Type.Record(Type.String(), strict({ saved: Sums, billed: Sums })),
    savedDollars: Type.Number(),
    billedDollars: Type.Number(),
    podDollars: Type.Number(),
    netDollars: Type.Number(),
});

/** Savings and costs of this pod since its start. Prometheus has the totals of all pods. */
export function ledgerRoutes(ledger: Pick<Ledger, "statement">): AdminRoutes {
    return (app) => {
        app.get(
            "/ledger",
            {
                schema: {
                    summary: "Get tokens and dollars saved and billed by this pod, by tenant",
                    response: { 200: Statement, "4xx": Failure },
                },
            },
            () => ledger.statement(),
        );
    };
}
