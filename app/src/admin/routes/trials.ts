import { ADMIN_PATHS, QUARANTINE_PROPAGATION_MILLISECONDS } from "@property-search/contract";
import { Type, type Static } from "typebox";

import { wallClock } from "../../clock.ts";
import { HttpError, wrongField } from "../../http/error.ts";
import type { Log } from "../../log.ts";
import { OtherRelease, type Trial } from "../../trials/trial.ts";
import type { Trials } from "../../trials/trials.ts";
import { redisAway } from "../redisAway.ts";
import type { AdminRoutes } from "../server.ts";
import { Actor, Failure, reasonField, strict } from "./schemas.ts";

const Writer = Type.String({
    pattern: "^[0-9a-f]{16}$",
    description: `Digest of a build, as GET ${ADMIN_PATHS.builds} and entries tell it`,
});
const Release = Type.String({
    minLength: 1,
    maxLength: 128,
    description: "Which release it is for: the same one again is the same trial",
});
const Time = Type.String({ format: "date-time" });

const Wish = { release: Release, actor: Actor, reason: reasonField("What it is for") };

const Build = Type.Object({
    writer: Writer,
    colour: Type.String(),
    version: Type.String(),
    provider: Type.String(),
    model: Type.String(),
    revision: Type.String(),
});

const Kept = Type.Object({
    writer: Writer,
    state: Type.Enum(["trial", "promoted"]),
    release: Type.String(),
    actor: Type.String(),
    reason: Type.String(),
    ordered: Time,
    since: Type.String({ description: "Entries made from then on are meant; 1970: all" }),
    failed: Type.Array(Type.Object({ from: Time, to: Time }), {
        description: "Trials that were not promoted: their entries are served by nobody",
    }),
    ends: Type.String({ description: "When no entry of this build can be alive" }),
});

const Writers = Type.Object({
    own: Build,
    current: Type.Boolean({
        description:
            "False: Redis does not tell who is on trial, and no other build's entry is served",
    }),
    known: Type.Array(Kept, { description: "The latest first; who is not here is trusted" }),
});

const Ordered = Type.Object({
    ...Kept.properties,
    othersFollowWithinMilliseconds: Type.Integer({
        description: "After so long it holds in every pod",
    }),
});

export interface TrialRoutesParts {
    readonly trials: Trials;
    /** What this pod is, beside its digest. */
    readonly build: Omit<Static<typeof Build>, "writer">;
    /** Whether this pod has a Redis. */
    readonly shared: boolean;
    readonly log: Log;
}

/** Whose entries are served by whom, while a release may yet turn out to be wrong. */
export function trialRoutes({ trials, build, shared, log }: TrialRoutesParts): AdminRoutes {
    async function order(give: () => Promise<Trial>) {
        if (!shared) {
            const message = "This pod has no Redis: it shares no entries with another build";
            throw new HttpError(409, message, { code: "no_redis" });
        }
        try {
            return {
                ...told(await give()),
                othersFollowWithinMilliseconds: QUARANTINE_PROPAGATION_MILLISECONDS,
            };
        } catch (error) {
            if (!(error instanceof OtherRelease)) throw redisAway(error, log);
            const message = `release is another one: ${error.message}`;
            throw new HttpError(409, message, { param: "release", code: "other_release" });
        }
    }

    return (app) => {
        app.get(
            ADMIN_PATHS.builds,
            {
                schema: {
                    summary: "The build whose entries this pod writes, and which are on trial",
                    response: { 200: Writers, "4xx": Failure },
                },
            },
            () => ({
                own: { writer: trials.writer, ...build },
                current: trials.current(),
                known: trials.list().map(told),
            }),
        );
        app.put(
            ADMIN_PATHS.quarantine(":writer"),
            {
                schema: {
                    summary: "Put a build on trial: nobody else serves what it writes",
                    params: strict({ writer: Writer }),
                    body: strict({
                        ...Wish,
                        since: Type.Optional(
                            Type.String({
                                format: "date-time",
                                description: "Entries from then on are meant. Default: now, or all",
                            }),
                        ),
                    }),
                    response: { 200: Ordered, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { writer }, body: { since, ...wish } }) =>
                order(() =>
                    trials.begin(
                        { writer, ...wish },
                        since === undefined ? undefined : pastTime(since),
                    ),
                ),
        );
        app.put(
            ADMIN_PATHS.promotion(":writer"),
            {
                schema: {
                    summary: "End a build's trial well: everybody serves what it writes",
                    params: strict({ writer: Writer }),
                    body: strict(Wish),
                    response: { 200: Ordered, "4xx": Failure, "5xx": Failure },
                },
            },
            ({ params: { writer }, body: wish }) =>
                order(() => trials.promote({ writer, ...wish })),
        );
    };
}

/** Entries made until a time to come would be trusted while their build is on trial. */
function pastTime(since: string): number {
    const time = Date.parse(since);
    if (time <= wallClock()) return time;
    throw wrongField("since", `since is ${JSON.stringify(since)}; allowed: a time that is over`);
}

function told({ writer, state, release, actor, reason, at, since, failed, until }: Trial) {
    return {
        writer,
        state,
        release,
        actor,
        reason,
        ordered: timeOf(at),
        since: timeOf(since),
        failed: failed.map(({ from, to }) => ({ from: timeOf(from), to: timeOf(to) })),
        ends: timeOf(until),
    };
}

function timeOf(milliseconds: number): string {
    return new Date(milliseconds).toISOString();
}
