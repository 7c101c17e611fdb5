import { randomUUID } from "node:crypto";
import { finished, Readable } from "node:stream";

import type { EntryStore } from "../../cache/entryStore.ts";
import { HttpError } from "../../http/protocol/error.ts";
import type { Log } from "../../log.ts";
import type { DataReadiness } from "../dataReadiness.ts";
import { redisUnavailable } from "../redisUnavailable.ts";
import { exportLines, type ExportDependencies, type ExportProgress } from "./export.ts";
import { importLines, type ImportDependencies, type ImportProgress } from "./import.ts";

export interface TransfersDependencies
    extends Omit<ExportDependencies, "store">, Omit<ImportDependencies, "store"> {
    /** Undefined without Redis. */
    readonly store: EntryStore | undefined;
    readonly readiness: Pick<DataReadiness, "waitUntilComplete">;
    readonly log: Log;
}

export const TRANSFER_STATES = ["running", "done", "cancelled", "failed"] as const;

interface TransferFacts {
    readonly id: string;
    /** Null until the header of an import has been read. */
    readonly tenant: string | null;
    readonly state: (typeof TRANSFER_STATES)[number];
    readonly startedAt: string;
    readonly endedAt: string | null;
    /** Reason of a failure. */
    readonly reason: string | null;
}

export type Transfer =
    | (TransferFacts & { readonly kind: "export"; readonly progress: ExportProgress })
    | (TransferFacts & { readonly kind: "import"; readonly progress: ImportProgress });

/** Exports and imports of this pod. A transfer ends with its client's connection. */
export interface Transfers {
    /** @throws HttpError without Redis, while Redis is unavailable, or while another transfer is running */
    readonly export: (tenant: string) => Promise<Readable>;
    /** @throws HttpError like `export`, and for an upload that does not match this pod */
    readonly import: (upload: Readable) => Promise<ImportProgress>;
    /** Newest first. */
    readonly list: () => readonly Transfer[];
}

const MAX_LISTED_TRANSFERS = 20;

interface ListedTransfer {
    transfer: Transfer;
}

export function createTransfers(dependencies: TransfersDependencies): Transfers {
    const { spaceOf, log } = dependencies;
    let listed: readonly ListedTransfer[] = [];

    /** One transfer per pod: concurrent transfers would only share the throughput of Redis. */
    function requireIdleStore(): EntryStore {
        if (!dependencies.store) {
            const message = "This pod has no Redis to export from or import to";
            throw new HttpError(409, message, { code: "no_redis" });
        }
        if (listed[0]?.transfer.state === "running") {
            const { kind } = listed[0].transfer;
            const message = `An ${kind} is running on this pod; wait until it has ended (GET /admin/v1/transfers)`;
            throw new HttpError(409, message, { code: "transfer_running" });
        }
        return dependencies.store;
    }

    function begin(
        one:
            | Pick<Extract<Transfer, { kind: "export" }>, "kind" | "tenant" | "progress">
            | Pick<Extract<Transfer, { kind: "import" }>, "kind" | "tenant" | "progress">,
    ): ListedTransfer {
        const fresh = {
            id: randomUUID(),
            state: "running",
            startedAt: new Date().toISOString(),
            endedAt: null,
            reason: null,
        } as const;
        const record: ListedTransfer = { transfer: { ...fresh, ...one } };
        listed = [record, ...listed].slice(0, MAX_LISTED_TRANSFERS);
        return record;
    }

    function end(
        record: ListedTransfer,
        state: Transfer["state"],
        reason: string | null = null,
    ): void {
        record.transfer = { ...record.transfer, state, reason, endedAt: new Date().toISOString() };
        const { kind, progress } = record.transfer;
        const counts = Object.entries(progress).filter(([, value]) => typeof value === "number");
        log.info({ kind, state, reason, ...Object.fromEntries(counts) }, "Transfer ended");
    }

    return {
        export: async (tenant) => {
            await dependencies.readiness.waitUntilComplete();
            const store = requireIdleStore();
            const progress: ExportProgress = { scanned: 0, keys: 0, entries: 0 };
            const record = begin({ kind: "export", tenant, progress });
            try {
                progress.keys = await store.count();
            } catch (error) {
                end(record, "failed", "Redis is unavailable");
                throw redisUnavailable(error, log);
            }
            const lines = exportLines({ ...dependencies, store }, spaceOf(tenant), progress);
            const stream = Readable.from(lines);
            // Observes the stream, not the generator: a client may disconnect before the first line is read.
            finished(stream, (error) => {
                if (!error) end(record, "done");
                else if (error.code === "ERR_STREAM_PREMATURE_CLOSE") end(record, "cancelled");
                else end(record, "failed", error.message);
            });
            return stream;
        },
        import: async (upload) => {
            await dependencies.readiness.waitUntilComplete();
            const store = requireIdleStore();
            const progress: ImportProgress = {
                lines: 0,
                written: 0,
                skipped: 0,
                rejected: 0,
                errors: [],
                complete: false,
            };
            const record = begin({ kind: "import", tenant: null, progress });
            try {
                await importLines({ ...dependencies, store }, upload, progress, ({ tenant }) => {
                    record.transfer = { ...record.transfer, tenant };
                });
                end(record, "done");
                return progress;
            } catch (error) {
                // The upload's own error means that the client has disconnected.
                if (upload.errored && !(error instanceof HttpError)) end(record, "cancelled");
                else end(record, "failed", error instanceof Error ? error.message : String(error));
                throw redisUnavailable(error, log);
            }
        },
        list: () => listed.map(({ transfer }) => transfer),
    };
}
