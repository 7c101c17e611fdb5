import { NAMESPACES, RELEASE } from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import { isConflict, type Api } from "../api.ts";
import type { Clock } from "../clock.ts";
import { Superseded } from "../error.ts";

/** The one driver's hold on the release. */
export interface Hold {
    readonly holder: string;
    /** Grows with every holder: a write with a lower one is refused. */
    readonly fence: number;
    /**
     * Renews the Lease where it is due. One that has run out is still held until somebody else takes it:
     * from then on the fence ends every write of this holder.
     *
     * @throws Superseded when somebody else has it
     */
    readonly keep: () => Promise<void>;
    readonly release: () => Promise<void>;
}

export interface HoldOptions {
    readonly holder: string;
    /** Highest fence that anything on the cluster was written with. */
    readonly knownFence: number;
    /** Take it from whoever has it, dead or alive. */
    readonly force?: boolean | undefined;
    /** Whether a holder is known to be gone, as a process of this machine can be. */
    readonly isGone?: (holder: string) => boolean;
    /** Told who has it, while it is waited for whether they are alive. */
    readonly waiting?: (holder: string, seconds: number) => void;
    readonly signal?: AbortSignal | undefined;
}

interface Lease extends Manifest {
    spec?: {
        holderIdentity?: string;
        leaseDurationSeconds?: number;
        leaseTransitions?: number;
        acquireTime?: string;
        renewTime?: string;
    };
}

export const LEASE_SECONDS = 30;
const RENEW_AFTER_MILLISECONDS = 8_000;
const LOOK_MILLISECONDS = 1_000;

const REFERENCE = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace: NAMESPACES.edge,
    name: RELEASE.lease,
};

/** Who holds the release now; undefined: nobody. */
export async function holderOf(api: Api): Promise<string | undefined> {
    const holder = (await api.read<Lease>(REFERENCE))?.spec?.holderIdentity;
    return holder === "" ? undefined : holder;
}

/**
 * Takes the Lease. A holder counts as dead when its Lease has not changed for its duration, by the clock of
 * the one who looks: clocks of two machines are never compared (as client-go's leader election does).
 *
 * @throws Superseded when the holder is alive
 */
export async function takeHold(api: Api, clock: Clock, options: HoldOptions): Promise<Hold> {
    const { holder, waiting, signal } = options;
    let seen: { readonly version: string | undefined; readonly at: number } | undefined;
    for (;;) {
        signal?.throwIfAborted();
        const lease = await api.read<Lease>(REFERENCE);
        const version = lease?.metadata.resourceVersion;
        const current = lease?.spec?.holderIdentity ?? "";
        const free = current === "" || options.force === true || options.isGone?.(current) === true;
        if (!free) {
            if (seen === undefined) {
                seen = { version, at: clock.elapsed() };
                waiting?.(current, LEASE_SECONDS);
            } else if (seen.version !== version) {
                throw new Superseded(
                    `${current} is at work on the release; ask for what you want by pause, promote or rollback`,
                );
            }
            const duration = (lease?.spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
            if (clock.elapsed() - seen.at < duration) {
                await clock.sleep(LOOK_MILLISECONDS, signal);
                continue;
            }
        }
        const fence = Math.max(lease?.spec?.leaseTransitions ?? 0, options.knownFence) + 1;
        try {
            const taken = await writeLease(api, clock, { version, holder, fence });
            return heldLease(api, clock, taken, { holder, fence });
        } catch (error) {
            if (!isConflict(error)) throw error;
            // Somebody was faster: look again who it is.
            seen = undefined;
        }
    }
}

function heldLease(
    api: Api,
    clock: Clock,
    taken: Lease,
    { holder, fence }: Pick<Hold, "holder" | "fence">,
): Hold {
    let version = taken.metadata.resourceVersion;
    let renewedAt = clock.elapsed();

    return {
        holder,
        fence,
        keep: async () => {
            const asked = clock.elapsed();
            if (asked - renewedAt < RENEW_AFTER_MILLISECONDS) return;
            try {
                const renewed = await writeLease(api, clock, { version, holder, fence });
                version = renewed.metadata.resourceVersion;
                renewedAt = asked;
            } catch {
                // Away, or changed: by somebody else, or by a renewal of which the answer was lost.
                const lease = await api.read<Lease>(REFERENCE).catch(() => undefined);
                if (lease === undefined) return;
                const { holderIdentity = "", leaseTransitions } = lease.spec ?? {};
                if (holderIdentity !== holder || leaseTransitions !== fence) {
                    throw new Superseded(`${holderIdentity} has taken the release over`);
                }
                version = lease.metadata.resourceVersion;
            }
        },
        release: async () => {
            await writeLease(api, clock, { version, holder: "", fence }).catch(() => undefined);
        },
    };
}

function writeLease(
    api: Api,
    clock: Clock,
    {
        version,
        holder,
        fence,
    }: {
        readonly version: string | undefined;
        readonly holder: string;
        readonly fence: number;
    },
): Promise<Lease> {
    const now = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const { apiVersion, kind, namespace, name } = REFERENCE;
    const spec = {
        holderIdentity: holder,
        leaseDurationSeconds: LEASE_SECONDS,
        leaseTransitions: fence,
        acquireTime: now,
        renewTime: now,
    };
    return version === undefined
        ? api.create<Lease>({ apiVersion, kind, metadata: { namespace, name }, spec })
        : api.replace<Lease>({
              apiVersion,
              kind,
              metadata: { namespace, name, resourceVersion: version },
              spec,
          });
}
