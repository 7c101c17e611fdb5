import { SERVICE_SETTINGS } from "@property-search/contract/settings";

import type { EntryStore } from "../cache/entryStore.ts";
import type { Resolver } from "../cache/resolver.ts";
import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import type { Config } from "../config.ts";
import type { HotKeys } from "../hotKeys/hotKeys.ts";
import type { Epochs } from "../key/epochs.ts";
import type { KeyOf } from "../key/key.ts";
import type { Normalise } from "../key/normalise.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { Quarantines } from "../quarantines/quarantines.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { EntryCodec } from "../vector/entry.ts";
import type { Invalidations } from "../invalidations/invalidations.ts";
import { createEntries } from "./entries/entries.ts";
import { createDataReadiness } from "./dataReadiness.ts";
import { entryRoutes } from "./routes/entries.ts";
import { conceptRulesRoutes } from "./routes/conceptRules.ts";
import { experimentRoutes } from "./routes/experiments.ts";
import { epochRoutes } from "./routes/epochs.ts";
import { hotKeyRoutes } from "./routes/hotKeys.ts";
import { ledgerRoutes } from "./routes/ledger.ts";
import { runtimeRoutes } from "./routes/runtime.ts";
import type { RuntimeSettings } from "../runtimeSettings/runtimeSettings.ts";
import { semanticRoutes, type SemanticRoutesDependencies } from "./routes/semantic.ts";
import { settingsRoutes, tuningRoutes } from "./routes/settings.ts";
import { transferRoutes } from "./routes/transfers.ts";
import { quarantineRoutes } from "./routes/quarantines.ts";
import { warmupRoutes } from "./routes/warmups.ts";
import { createAdminServer, type AdminServer } from "./server.ts";
import { createTransfers } from "./transfers/transfers.ts";
import type { Space } from "./transfers/exportFormat.ts";
import { removeAbandonedSpools } from "./warmup/spool.ts";
import { createWarmups } from "./warmup/warmups.ts";

export interface AdminDependencies {
    readonly config: Config;
    readonly log: Log;
    readonly local: LocalCache;
    readonly shared: SharedCache;
    /** Undefined without Redis. */
    readonly store: EntryStore | undefined;
    readonly codec: EntryCodec;
    readonly upstream: Upstream;
    readonly epochs: Epochs;
    readonly invalidations: Invalidations;
    readonly quarantines: Quarantines;
    /** Digest of a tenant's key space. */
    readonly spaceOf: (tenant: string) => string;
    readonly hotKeys: HotKeys;
    readonly settings: RuntimeSettings;
    /** The longest time for which an entry that exists may still be fresh. */
    readonly longestTtlSeconds: () => number;
    /** The same normalisation as for client requests. */
    readonly normalise: Normalise;
    readonly keysOf: (tenant: string) => KeyOf;
    /** Undefined: semantic reuse is off. */
    readonly semantic: SemanticRoutesDependencies["semantic"];
    /** For bulk work: it does not write to the local cache, which keeps the entries of clients. */
    readonly resolver: Resolver;
    /** Number of client requests that wait for a vector. */
    readonly waitingRequests: () => number;
    readonly ledger: Pick<Ledger, "price" | "statement">;
    /** Called with the status of each response of a port. */
    readonly onRequestEnd: (port: "admin" | "automation", code: number) => void;
    /** Human-readable status of this pod. */
    readonly report: () => Readonly<Record<string, unknown>>;
}

export interface Admin {
    readonly server: AdminServer;
    /** The part for programs of the stack. Undefined without its token. */
    readonly automation: AdminServer | undefined;
    /** Closes both servers and cancels their jobs. */
    readonly close: () => Promise<void>;
}

/** @returns undefined without a token, which disables the admin port */
export async function createAdmin(dependencies: AdminDependencies): Promise<Admin | undefined> {
    const { config, log, local, shared, store, epochs, hotKeys, ledger, waitingRequests, report } =
        dependencies;
    const { onRequestEnd } = dependencies;
    if (!config.admin) return undefined;
    await removeAbandonedSpools();
    const readiness = createDataReadiness({ ...dependencies, shared: store !== undefined });
    const warmups = createWarmups({
        ...dependencies,
        readiness,
        price: ledger.price,
        findCached: findCached(local, shared),
    });
    const lifetimes = {
        longestTtlSeconds: dependencies.longestTtlSeconds,
        staleSeconds: config.staleIfErrorSeconds,
    };
    const limits = { ...dependencies.upstream, model: config.model };
    const entries = createEntries({ ...dependencies, ...lifetimes, readiness, limits });
    const transfers = createTransfers({
        ...dependencies,
        ...lifetimes,
        readiness,
        spaceOf: createSpaceLookup(dependencies),
        lengthError: createLengthCheck(dependencies.upstream),
    });
    const shares = { shared: store !== undefined, log };
    const settings = { ...shares, settings: dependencies.settings };
    const rules = { ...shares, semantic: dependencies.semantic };
    const server = await createAdminServer({
        ...config,
        ...config.admin,
        interfaces: "loopback",
        portVariable: SERVICE_SETTINGS.adminPort.env,
        log,
        onRequestEnd: (code) => onRequestEnd("admin", code),
        routes: [
            warmupRoutes(warmups),
            transferRoutes(transfers),
            entryRoutes(entries),
            epochRoutes({ epochs, shared: store !== undefined, readiness, log }),
            quarantineRoutes({
                ...dependencies,
                build: buildOf(dependencies),
                shared: store !== undefined,
            }),
            hotKeyRoutes(hotKeys),
            ledgerRoutes(ledger),
            settingsRoutes(settings),
            tuningRoutes(settings),
            experimentRoutes(config.experiments),
            semanticRoutes({ ...rules, entries }),
            conceptRulesRoutes(rules),
            runtimeRoutes({
                config,
                log,
                state: () => ({
                    ...report(),
                    upstream: dependencies.upstream.state(),
                    ...loadOf(waitingRequests),
                }),
            }),
        ],
    });
    // Network policies let only pods of insights connect, whose token is accepted by these routes only.
    const automation =
        config.automation &&
        (await createAdminServer({
            ...config,
            ...config.automation,
            interfaces: "all",
            portVariable: SERVICE_SETTINGS.automationPort.env,
            log,
            onRequestEnd: (code) => onRequestEnd("automation", code),
            routes: [hotKeyRoutes(hotKeys), settingsRoutes(settings), conceptRulesRoutes(rules)],
        }));
    return {
        server,
        automation,
        close: async () => {
            await warmups.close();
            await Promise.all([server.close(), automation?.close()]);
        },
    };
}

function buildOf({ config: { colour, version, model }, upstream }: AdminDependencies) {
    const { provider, revision } = upstream;
    return { colour, version, provider, model, revision };
}

function createSpaceLookup({ config: { model }, upstream, epochs, spaceOf }: AdminDependencies) {
    const { provider, revision } = upstream;
    return (tenant: string): Space => {
        const epoch = epochs.get(tenant);
        return { tenant, epoch, provider, model, revision, space: spaceOf(tenant) };
    };
}

function createLengthCheck({ dimensions, dimensionsError, supportsShortening }: Upstream) {
    return (length: number): string | undefined => {
        const native = dimensions();
        if (native === undefined || length === native) return undefined;
        // Shortened vectors of such a model are computed from full entries and never stored.
        if (supportsShortening) return `its vector has ${length} dimensions; allowed: ${native}`;
        const error = dimensionsError(length);
        return error && `its vector has ${length} dimensions: ${error}`;
    };
}

/** @returns the keys that the local cache or Redis holds */
function findCached(local: LocalCache, shared: SharedCache) {
    return async (keys: readonly string[]): Promise<ReadonlySet<string>> => {
        const localKeys = new Set(keys.filter((key) => local.get(key) !== undefined));
        const found = await shared.read(
            keys.filter((key) => !localKeys.has(key)),
            undefined,
        );
        return new Set([...localKeys, ...found.keys()]);
    };
}

function loadOf(waiting: () => number): Record<string, unknown> {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return { waitingRequests: waiting(), memoryBytes: { rss, heapUsed, heapTotal, external } };
}
