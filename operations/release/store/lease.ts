import { NAMESPACES, RELEASE } from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import { isConflict, type Api } from "../api.ts";
import type { Clock } from "../clock.ts";
import { Superseded } from "../error.ts";

/** Handle of the acquired release lease. */
export interface LeaseHandle {
    readonly holder: string;
    /** Fencing token. It grows with every holder, and writes with a lower one are rejected. */
    readonly fence: number;
    /**
     * Renews the Lease when it is due. An expired Lease stays held until another driver acquires it; from then on
     * the fence rejects every write of this holder.
     *
     * @throws Superseded if another driver has acquired it
     */
    readonly renew: () => Promise<void>;
    readonly release: () => Promise<void>;
}

export interface LeaseOptions {
    readonly holder: string;
    /** Highest fence of any object on the cluster. */
    readonly knownFence: number;
    /** Whether to take the lease even from a running holder. */
    readonly force?: boolean | undefined;
    /** Whether a holder is known to have exited, such as a process of this machine. */
    readonly hasExited?: (holder: string) => boolean;
    /** Called with the current holder when waiting for its lease begins. */
    readonly onWaiting?: (holder: string, seconds: number) => void;
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

const LEASE_SECONDS = 30;
const RENEW_AFTER_MILLISECONDS = 8_000;
const POLL_MILLISECONDS = 1_000;

const REFERENCE = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    namespace: NAMESPACES.edge,
    name: RELEASE.lease,
};

/** Reads the current holder; undefined if there is none. */
export async function readHolder(api: Api): Promise<string | undefined> {
    const holder = (await api.read<Lease>(REFERENCE))?.spec?.holderIdentity;
    return holder === "" ? undefined : holder;
}

/**
 * Acquires the Lease. A Lease has expired when it has not changed for its duration on this machine's clock: clocks of two
 * machines are never compared (as in client-go's leader election).
 *
 * @throws Superseded if the holder renews it
 */
export async function acquireLease(
    api: Api,
    clock: Clock,
    options: LeaseOptions,
): Promise<LeaseHandle> {
    const { holder, onWaiting, signal } = options;
    let observed: { readonly version: string | undefined; readonly at: number } | undefined;
    for (;;) {
        signal?.throwIfAborted();
        const lease = await api.read<Lease>(REFERENCE);
        const version = lease?.metadata.resourceVersion;
        const current = lease?.spec?.holderIdentity ?? "";
        const isFree =
            current === "" || options.force === true || options.hasExited?.(current) === true;
        if (!isFree) {
            if (observed === undefined) {
                observed = { version, at: clock.elapsed() };
                onWaiting?.(current, LEASE_SECONDS);
            } else if (observed.version !== version) {
                throw new Superseded(
                    `${current} is driving the release; use pause, promote or rollback to control it`,
                );
            }
            const duration = (lease?.spec?.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
            if (clock.elapsed() - observed.at < duration) {
                await clock.sleep(POLL_MILLISECONDS, signal);
                continue;
            }
        }
        const fence = Math.max(lease?.spec?.leaseTransitions ?? 0, options.knownFence) + 1;
        try {
            const taken = await writeLease(api, clock, { version, holder, fence });
            return createLeaseHandle(api, clock, taken, { holder, fence });
        } catch (error) {
            if (!isConflict(error)) throw error;
            // Another driver was faster: read its Lease.
            observed = undefined;
        }
    }
}

function createLeaseHandle(
    api: Api,
    clock: Clock,
    taken: Lease,
    { holder, fence }: Pick<LeaseHandle, "holder" | "fence">,
): LeaseHandle {
    let version = taken.metadata.resourceVersion;
    let renewedAt = clock.elapsed();

    return {
        holder,
        fence,
        renew: async () => {
            const startedAt = clock.elapsed();
            if (startedAt - renewedAt < RENEW_AFTER_MILLISECONDS) return;
            try {
                const renewed = await writeLease(api, clock, { version, holder, fence });
                version = renewed.metadata.resourceVersion;
                renewedAt = startedAt;
            } catch {
                // The API server is unavailable, or the Lease has changed: by another driver, or by a renewal whose response was lost.
                const lease = await api.read<Lease>(REFERENCE).catch(() => undefined);
                if (lease === undefined) return;
                const { holderIdentity = "", leaseTransitions } = lease.spec ?? {};
                if (holderIdentity !== holder || leaseTransitions !== fence) {
                    throw new Superseded(`${holderIdentity} has taken over the release`);
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
