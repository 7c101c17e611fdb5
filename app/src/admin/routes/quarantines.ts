import { ADMIN_PATHS, QUARANTINE_PROPAGATION_MILLISECONDS } from "@property-search/contract";
import { Type, type Static } from "typebox";

import { wallClock } from "../../clock.ts";
import { HttpError, invalidFieldError } from "../../http/protocol/error.ts";
import type { Log } from "../../log.ts";
import { OtherReleaseError, type QuarantineRecord } from "../../quarantines/record.ts";
import type { Quarantines } from "../../quarantines/quarantines.ts";
import { redisUnavailable } from "../redisUnavailable.ts";
import type { AdminRoutes } from "../server.ts";
import { Actor, Failure, reasonField, strict } from "./schemas.ts";

const BuildId = Type.String({
    pattern: "^[0-9a-f]{16}$",
    description: `Digest of a build, as GET ${ADMIN_PATHS.builds} and entries tell it`,
});
const Release = Type.String({
    minLength: 1,
    maxLength: 128,
    description: "Release of the quarantine; repeating a request has no effect",
});
const Time = Type.String({ format: "date-time" });

const Reason = { release: Release, actor: Actor, reason: reasonField("Reason for the change") };

const Build = Type.Object({
    buildId: BuildId,
    colour: Type.String(),
    version: Type.String(),
    provider: Type.String(),
    model: Type.String(),
    revision: Type.String(),
});

const QuarantineRecord = Type.Object({
    buildId: BuildId,
    state: Type.Enum(["quarantined", "promoted"]),
    release: Type.String(),
    actor: Type.String(),
    reason: Type.String(),
    changedAt: Time,
    since: Type.String({ description: "Start of the quarantine; 1970: all entries" }),
    rejected: Type.Array(Type.Object({ from: Time, to: Time }), {
        description: "Quarantines that were not promoted; no build serves their entries",
    }),
    expiresAt: Type.String({
        description: "Expiry of the record: no entry of this build outlives it",
    }),
});

const Builds = Type.Object({
    own: Build,
    upToDate: Type.Boolean({
        description:
            "False: the records were not read recently, and no entries of other builds are served",
    }),
    records: Type.Array(QuarantineRecord, {
        description: "Latest first; builds without a record are trusted",
    }),
});

const Changed = Type.Object({
    ...QuarantineRecord.properties,
    propagationMilliseconds: Type.Integer({
        description: "Propagation delay to all pods",
    }),
});

export interface QuarantineRoutesDependencies {
    readonly quarantines: Quarantines;
    /** Identity of this pod's build, without its ID. */
    readonly build: Omit<Static<typeof Build>, "buildId">;
    /** Whether this pod has Redis. */
    readonly shared: boolean;
    readonly log: Log;
}

/** Routes that decide which builds' entries are served during a release. */
export function quarantineRoutes({
    quarantines,
    build,
    shared,
    log,
}: QuarantineRoutesDependencies): AdminRoutes {
    async function apply(change: () => Promise<QuarantineRecord>) {
        if (!shared) {
            const message = "This pod has no Redis and shares no entries with other builds";
            throw new HttpError(409, message, { code: "no_redis" });
        }
        try {
            return {
                ...formatRecord(await change()),
                propagationMilliseconds: QUARANTINE_PROPAGATION_MILLISECONDS,
            };
        } catch (error) {
            if (!(error instanceof OtherReleaseError)) throw redisUnavailable(error, log);
            const message = `release does not match: ${error.message}`;
            throw new HttpError(409, message, { param: "release", code: "release_mismatch" });
        }
    }

    return (app) => {
        app.get(
            ADMIN_PATHS.builds,
            {
                schema: {
                    summary: "Get this pod's build and the quarantine records of all builds",
                    response: { 200: Builds, "4xx": Failure },
                },
            },
            () => ({
                own: { buildId: quarantines.buildId, ...build },
                upToDate: quarantines.isUpToDate(),
                records: quarantines.list().map(formatRecord),
            }),
        );
        app.put(
            ADMIN_PATHS.quarantine(":buildId"),
            {
                schema: {
                    summary: "Quarantine a build: other builds do not serve its entries",
                    params: strict({ buildId: BuildId }),
                    body: strict({
                        ...Reason,
                        since: Type.Optional(
                            Type.String({
                                format: "date-time",
                                description:
                                    "Start of the quarantine. Default: now; for an unknown build: all entries",
                            }),
                        ),
                    }),
                    response: { 200: Changed, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { buildId }, body: { since, ...request } }) =>
                apply(() =>
                    quarantines.quarantine(
                        { buildId, ...request },
                        since === undefined ? undefined : pastTime(since),
                    ),
                ),
        );
        app.put(
            ADMIN_PATHS.promotion(":buildId"),
            {
                schema: {
                    summary: "Promote a build: its cached entries are served by all builds",
                    params: strict({ buildId: BuildId }),
                    body: strict(Reason),
                    response: { 200: Changed, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { buildId }, body: request }) =>
                apply(() => quarantines.promote({ buildId, ...request })),
        );
    };
}

/** With a future time, entries made until then would be trusted although their build is quarantined. */
function pastTime(since: string): number {
    const time = Date.parse(since);
    if (time <= wallClock()) return time;
    throw invalidFieldError(
        "since",
        `since is ${JSON.stringify(since)}; allowed: a time in the past`,
    );
}

function formatRecord(record: QuarantineRecord) {
    return {
        ...record,
        changedAt: formatTime(record.changedAt),
        since: formatTime(record.since),
        rejected: record.rejected.map(({ from, to }) => ({
            from: formatTime(from),
            to: formatTime(to),
        })),
        expiresAt: formatTime(record.expiresAt),
    };
}

function formatTime(milliseconds: number): string {
    return new Date(milliseconds).toISOString();
}
