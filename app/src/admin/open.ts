import type { Resolver } from "../cache/resolve.ts";
import type { LocalCache, SharedCache } from "../cache/tiers.ts";
import type { Config } from "../config.ts";
import type { HotKeys } from "../hotkeys/hotKeys.ts";
import type { KeyOf } from "../key/key.ts";
import type { Normalise } from "../key/normalise.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import { hotKeyRoutes } from "./routes/hotKeys.ts";
import { ledgerRoutes } from "./routes/ledger.ts";
import { runtimeRoutes } from "./routes/runtime.ts";
import { warmupRoutes } from "./routes/warmups.ts";
import { adminServer, type AdminServer } from "./server.ts";
import { warmups as openWarmups } from "./warmup/warmups.ts";

export interface AdminParts {
    readonly config: Config;
    readonly log: Log;
    readonly local: LocalCache;
    readonly shared: SharedCache;
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
    const { config, log, local, shared, hotKeys, ledger, waiting, report } = parts;
    if (!config.admin) return undefined;
    const warmups = openWarmups({
        ...parts,
        price: ledger.price,
        cached: cachedIn(local, shared),
    });
    const server = await adminServer({
        ...config,
        ...config.admin,
        log,
        routes: [
            warmupRoutes(warmups),
            hotKeyRoutes(hotKeys),
            ledgerRoutes(ledger),
            runtimeRoutes({ config, log, state: () => ({ ...report(), ...load(waiting) }) }),
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
