import { Type } from "typebox";

import { EPOCHS_FOLLOW_MILLISECONDS, type Epochs } from "../../key/epochs.ts";
import type { Log } from "../../log.ts";
import type { Knowledge } from "../knowledge.ts";
import { redisAway } from "../redisAway.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, strict } from "./schemas.ts";

const EVERYBODY = "*";

const Whose = Type.String({
    pattern: "^(\\*|[a-z0-9][a-z0-9._-]{0,62})$",
    description: `The pool of a tenant, or ${EVERYBODY} for everybody`,
});

const Epoch = Type.Object({
    tenant: Whose,
    epoch: Type.String({ description: "Everybody's and the tenant's own, as keys hold it" }),
});

const Raised = Type.Object({
    ...Epoch.properties,
    othersFollowWithinMilliseconds: Type.Integer({
        description: "For so long another pod may still serve older entries",
    }),
});

export interface EpochRoutesParts {
    readonly epochs: Epochs;
    /** Other pods share the epochs with this one. */
    readonly shared: boolean;
    readonly knowledge: Pick<Knowledge, "require">;
    readonly log: Log;
}

/** Epochs: what leaves all entries of a tenant behind, however many they are. */
export function epochRoutes({ epochs, shared, knowledge, log }: EpochRoutesParts): AdminRoutes {
    function epochOf(tenant: string): string {
        const [everybodys = "", own = ""] = epochs.of(tenant).split(".");
        return tenant === EVERYBODY ? everybodys : `${everybodys}.${own}`;
    }

    return (app) => {
        app.get(
            "/epochs/:tenant",
            {
                schema: {
                    summary: "The epoch of a tenant",
                    params: strict({ tenant: Whose }),
                    response: { 200: Epoch, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { tenant } }) => {
                knowledge.require();
                return { tenant, epoch: epochOf(tenant) };
            },
        );
        app.post(
            "/epochs",
            {
                schema: {
                    summary: "Raise an epoch: all older entries of a tenant are left behind",
                    body: strict({ tenant: Whose }),
                    response: { 200: Raised, "4xx": Failure, "5xx": Failure },
                },
            },
            async ({ body: { tenant } }) => {
                try {
                    await epochs.raise(tenant === EVERYBODY ? undefined : tenant);
                } catch (error) {
                    throw redisAway(error, log);
                }
                const epoch = epochOf(tenant);
                log.warn({ tenant, epoch }, "An epoch was raised");
                return {
                    tenant,
                    epoch,
                    othersFollowWithinMilliseconds: shared ? EPOCHS_FOLLOW_MILLISECONDS : 0,
                };
            },
        );
    };
}
