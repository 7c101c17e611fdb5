import type { EntryStore } from "../cache/entryStore.ts";
import type { Resolver } from "../cache/resolve.ts";
import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import type { Config } from "../config.ts";
import type { HotKeys } from "../hotkeys/hotKeys.ts";
import type { Epochs } from "../key/epochs.ts";
import type { KeyOf } from "../key/key.ts";
import type { Normalise } from "../key/normalise.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { Trials } from "../trials/trials.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { EntryCodec } from "../vector/entry.ts";
import type { Withdrawals } from "../withdrawals/withdrawals.ts";
import { entries as openEntries } from "./entries/entries.ts";
import { knowledge as openKnowledge } from "./knowledge.ts";
import { entryRoutes } from "./routes/entries.ts";
import { epochRoutes } from "./routes/epochs.ts";
import { hotKeyRoutes } from "./routes/hotKeys.ts";
import { ledgerRoutes } from "./routes/ledger.ts";
import { runtimeRoutes } from "./routes/runtime.ts";
import { transferRoutes } from "./routes/transfers.ts";
import { trialRoutes } from "./routes/trials.ts";
import { warmupRoutes } from "./routes/warmups.ts";
import { adminServer, type AdminServer } from "./server.ts";
import { transfers as openTransfers } from "./transfers/transfers.ts";
import type { Space } from "./transfers/form.ts";
import { removeAbandonedSpools } from "./warmup/spool.ts";
import { warmups as openWarmups } from "./warmup/warmups.ts";

export interface AdminParts {
    readonly config: Config;
    readonly log: Log;
    readonly local: LocalCache;
    readonly shared: SharedCache;
    /** Undefined without Redis. */
    readonly store: EntryStore | undefined;
    readonly codec: EntryCodec;
    readonly upstream: Upstream;
    readonly epochs: Epochs;
    readonly withdrawals: Withdrawals;
    readonly trials: Trials;
    /** Digest of a tenant's space of keys. */
    readonly spaceOf: (tenant: string) => string;
    readonly hotKeys: HotKeys;
    /** As the texts of clients are. */
    readonly normalise: Normalise;
    readonly keysOf: (tenant: string) => KeyOf;
    /** For bulk work: it leaves this process's cache to what clients ask for. */
    readonly resolver: Resolver;
    /** Requests of clients that wait for something now. */
    readonly waiting: () => number;
    readonly ledger: Pick<Ledger, "price" | "statement">;
    /** Facts about this pod for people. */
    readonly report: () => Readonly<Record<string, unknown>>;
}

export interface Admin {
    readonly server: AdminServer;
    /** Ends the server and what it has begun. */
    readonly close: () => Promise<void>;
}

/** @returns undefined without a token: then there is no admin port. */
export async function openAdmin(parts: AdminParts): Promise<Admin | undefined> {
    const { config, log, local, shared, store, epochs, hotKeys, ledger, waiting, report } = parts;
    if (!config.admin) return undefined;
    await removeAbandonedSpools();
    const knowledge = openKnowledge({ ...parts, shared: store !== undefined });
    const warmups = openWarmups({
        ...parts,
        knowledge,
        price: ledger.price,
        cached: cachedIn(local, shared),
    });
    const lives = { ttlSeconds: config.cacheTtlSeconds, staleSeconds: config.staleIfErrorSeconds };
    const limits = { ...parts.upstream, model: config.model };
    const entries = openEntries({ ...parts, ...lives, knowledge, limits });
    const transfers = openTransfers({
        ...parts,
        ...lives,
        knowledge,
        spaceOf: spacesOf(parts),
        lengthFault: lengthFaultOf(parts.upstream),
    });
    const server = await adminServer({
        ...config,
        ...config.admin,
        log,
        routes: [
            warmupRoutes(warmups),
            transferRoutes(transfers),
            entryRoutes(entries),
            epochRoutes({ epochs, shared: store !== undefined, knowledge, log }),
            trialRoutes({ ...parts, build: buildOf(parts), shared: store !== undefined }),
            hotKeyRoutes(hotKeys),
            ledgerRoutes(ledger),
            runtimeRoutes({
                config,
                log,
                state: () => ({
                    ...report(),
                    upstream: parts.upstream.state(),
                    ...load(waiting),
                }),
            }),
        ],
    });
    return {
        server,
        close: async () => {
            await warmups.close();
            await server.close();
        },
    };
}

function buildOf({ config: { colour, version, model }, upstream }: AdminParts) {
    const { provider, revision } = upstream;
    return { colour, version, provider, model, revision };
}

function spacesOf({ config: { model }, upstream, epochs, spaceOf }: AdminParts) {
    const { provider, revision } = upstream;
    return (tenant: string): Space => {
        const epoch = epochs.of(tenant);
        return { tenant, epoch, provider, model, revision, space: spaceOf(tenant) };
    };
}

function lengthFaultOf({ dimensions, dimensionsFault, shortens }: Upstream) {
    return (length: number): string | undefined => {
        const native = dimensions();
        if (native === undefined || length === native) return undefined;
        // Shorter vectors of such a model are cut from whole entries, and never stored.
        if (shortens) return `its vector has ${length} dimensions; allowed: ${native}`;
        const fault = dimensionsFault(length);
        return fault && `its vector has ${length} dimensions: ${fault}`;
    };
}

/** Those of the keys that this process or Redis holds. */
function cachedIn(local: LocalCache, shared: SharedCache) {
    return async (keys: readonly string[]): Promise<ReadonlySet<string>> => {
        const near = new Set(keys.filter((key) => local.get(key) !== undefined));
        const found = await shared.read(
            keys.filter((key) => !near.has(key)),
            undefined,
        );
        return new Set([...near, ...found.keys()]);
    };
}

function load(waiting: () => number): Record<string, unknown> {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return { waitingRequests: waiting(), memoryBytes: { rss, heapUsed, heapTotal, external } };
}
