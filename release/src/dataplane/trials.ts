import {
    ADMIN_PATHS,
    ADMIN_PREFIX,
    otherColour,
    TRIALS_FOLLOW_MILLISECONDS,
    type Colour,
} from "@property-search/contract";
import { adminOfCluster, type AdminTarget, type Cluster } from "@property-search/deploy";
import type { Clock } from "../clock.ts";
import { ReleaseError } from "../error.ts";
import type { Trials, TrialWish } from "../machine/ports.ts";

interface Writers {
    readonly own: { readonly writer: string };
}

const TIMEOUT_MILLISECONDS = 10_000;

/** Asked of a pod's admin port; the pods of both colours follow within seconds. */
export function clusterTrials(cluster: Cluster, clock: Clock): Trials {
    async function order(
        candidate: Colour,
        { release, actor }: TrialWish,
        path: (writer: string) => string,
    ): Promise<boolean> {
        const writer = await at(cluster, candidate, writerOf);
        // One build in both colours has nothing to hide from itself.
        if (writer === (await at(cluster, otherColour(candidate), writerOf))) return false;
        const body = { release, actor, reason: `release to ${candidate}` };
        await at(cluster, candidate, (target) => call(target, "PUT", path(writer), body));
        return true;
    }
    return {
        begin: async (candidate, wish) => {
            const isBegun = await order(candidate, wish, ADMIN_PATHS.trial);
            if (isBegun) await clock.sleep(TRIALS_FOLLOW_MILLISECONDS);
        },
        promote: async (candidate, wish) => {
            await order(candidate, wish, ADMIN_PATHS.promotion);
        },
    };
}

async function at<T>(
    cluster: Cluster,
    colour: Colour,
    work: (target: AdminTarget) => Promise<T>,
): Promise<T> {
    const target = await adminOfCluster(cluster, { colour });
    try {
        return await work(target);
    } finally {
        await target.close();
    }
}

async function writerOf(target: AdminTarget): Promise<string> {
    const { own } = (await call(target, "GET", ADMIN_PATHS.writers)) as Writers;
    return own.writer;
}

async function call(
    { url, token }: AdminTarget,
    method: "GET" | "PUT",
    path: string,
    body?: object,
): Promise<unknown> {
    const response = await fetch(`${url}${ADMIN_PREFIX}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    if (response.ok) return response.json();
    throw new ReleaseError(
        `the admin port answered ${response.status} to ${method} ${path}: ${(await response.text()).slice(0, 300)}`,
    );
}
