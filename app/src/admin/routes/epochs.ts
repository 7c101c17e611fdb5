import { Type } from "typebox";

import { EPOCH_PROPAGATION_MILLISECONDS, type Epochs } from "../../key/epochs.ts";
import type { Log } from "../../log.ts";
import type { DataReadiness } from "../dataReadiness.ts";
import { redisUnavailable } from "../redisUnavailable.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, strict } from "./schemas.ts";

const ALL_TENANTS = "*";

const TenantOrAll = Type.String({
    pattern: "^(\\*|[a-z0-9][a-z0-9._-]{0,62})$",
    description: `The pool of a tenant, or ${ALL_TENANTS} for everybody`,
});

const Epoch = Type.Object({
    tenant: TenantOrAll,
    epoch: Type.String({ description: "Global and tenant epoch, as in the keys" }),
});

const Bumped = Type.Object({
    ...Epoch.properties,
    propagationMilliseconds: Type.Integer({
        description: "Until then, other pods may still serve older entries",
    }),
});

export interface EpochRoutesDependencies {
    readonly epochs: Epochs;
    /** Whether this pod shares the epochs with other pods. */
    readonly shared: boolean;
    readonly readiness: Pick<DataReadiness, "requireComplete">;
    readonly log: Log;
}

/** Routes that read and increment epochs, which invalidate all entries of a tenant. */
export function epochRoutes({
    epochs,
    shared,
    readiness,
    log,
}: EpochRoutesDependencies): AdminRoutes {
    function epochOf(tenant: string): string {
        const [everybodys = "", own = ""] = epochs.get(tenant).split(".");
        return tenant === ALL_TENANTS ? everybodys : `${everybodys}.${own}`;
    }

    return (app) => {
        app.get(
            "/epochs/:tenant",
            {
                schema: {
                    summary: "Get the epoch of a tenant",
                    params: strict({ tenant: TenantOrAll }),
                    response: { 200: Epoch, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { tenant } }) => {
                readiness.requireComplete();
                return { tenant, epoch: epochOf(tenant) };
            },
        );
        app.post(
            "/epochs",
            {
                schema: {
                    summary: "Increment an epoch, which invalidates all older entries of a tenant",
                    body: strict({ tenant: TenantOrAll }),
                    response: { 200: Bumped, "4xx": Failure, "5xx": Failure },
                },
            },
            async ({ body: { tenant } }) => {
                try {
                    await epochs.increment(tenant === ALL_TENANTS ? undefined : tenant);
                } catch (error) {
                    throw redisUnavailable(error, log);
                }
                const epoch = epochOf(tenant);
                log.warn({ tenant, epoch }, "An epoch was incremented");
                return {
                    tenant,
                    epoch,
                    propagationMilliseconds: shared ? EPOCH_PROPAGATION_MILLISECONDS : 0,
                };
            },
        );
    };
}
