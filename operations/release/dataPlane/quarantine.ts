import {
    ADMIN_PATHS,
    ADMIN_PREFIX,
    otherColour,
    QUARANTINE_PROPAGATION_MILLISECONDS,
    type Colour,
} from "@property-search/contract";
import { clusterAdminTarget, type AdminTarget } from "../../admin/target.ts";
import type { Cluster } from "../../cluster/connect.ts";
import type { Clock } from "../clock.ts";
import { ReleaseError } from "../error.ts";

export interface QuarantineRequest {
    /** Id of the switch. */
    readonly release: string;
    readonly actor: string;
}

/** Keeps the candidate's entries of the shared cache from the active colour. */
export interface Quarantine {
    /** Idempotent. Resolves when every pod of the active colour applies it. */
    readonly begin: (candidate: Colour, wish: QuarantineRequest) => Promise<void>;
    /** Ends the quarantine: all builds serve the candidate's entries. */
    readonly promote: (candidate: Colour, wish: QuarantineRequest) => Promise<void>;
}

interface Writers {
    readonly own: { readonly buildId: string };
}

const TIMEOUT_MILLISECONDS = 10_000;

/** Calls the admin port of one pod; the pods of both colours follow within seconds. */
export function clusterQuarantine(cluster: Cluster, clock: Clock): Quarantine {
    async function sendRequest(
        colour: Colour,
        path: string,
        { release, actor }: QuarantineRequest,
    ) {
        const body = { release, actor, reason: `switch ${release}` };
        return withAdminPort(cluster, colour, (target) => put(target, "PUT", path, body));
    }
    return {
        begin: async (candidate, wish) => {
            const active = otherColour(candidate);
            const [theirs, ours] = [
                await withAdminPort(cluster, candidate, readBuildId),
                await withAdminPort(cluster, active, readBuildId),
            ];
            // Both colours run one build: there is nothing to quarantine.
            if (theirs === ours) return;
            // The active build is trusted: after a rollback its own quarantine must not empty its cache.
            await sendRequest(active, ADMIN_PATHS.promotion(ours), wish);
            const begun = await sendRequest(candidate, ADMIN_PATHS.quarantine(theirs), wish);
            if (begun === "done") await clock.sleep(QUARANTINE_PROPAGATION_MILLISECONDS);
        },
        promote: async (candidate, wish) => {
            const buildId = await withAdminPort(cluster, candidate, readBuildId);
            await sendRequest(candidate, ADMIN_PATHS.promotion(buildId), wish);
        },
    };
}

async function withAdminPort<T>(
    cluster: Cluster,
    colour: Colour,
    work: (target: AdminTarget) => Promise<T>,
): Promise<T> {
    const target = await clusterAdminTarget(cluster, { colour });
    try {
        return await work(target);
    } finally {
        await target.close();
    }
}

async function readBuildId(target: AdminTarget): Promise<string> {
    const { own } = (await (await fetchAdmin(target, "GET", ADMIN_PATHS.builds)).json()) as Writers;
    return own.buildId;
}

/** `needless`: pods without a Redis share nothing, and a build that another release quarantines stays so. */
async function put(
    target: AdminTarget,
    method: "PUT",
    path: string,
    body: object,
): Promise<"done" | "needless"> {
    const response = await fetchAdmin(target, method, path, body);
    if (response.ok) return "done";
    const text = await response.text();
    if (response.status === 409) return "needless";
    throw new ReleaseError(
        `the admin port responded with ${response.status} to ${method} ${path}: ${text.slice(0, 300)}`,
    );
}

function fetchAdmin(
    { url, token }: AdminTarget,
    method: "GET" | "PUT",
    path: string,
    body?: object,
): Promise<Response> {
    return fetch(`${url}${ADMIN_PREFIX}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
}
