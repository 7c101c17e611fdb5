import { randomUUID } from "node:crypto";
import { finished, Readable } from "node:stream";

import type { EntryStore } from "../../cache/entryStore.ts";
import { HttpError } from "../../http/error.ts";
import type { Log } from "../../log.ts";
import type { Knowledge } from "../knowledge.ts";
import { redisAway } from "../redisAway.ts";
import { exportedLines, type ExportParts, type ExportProgress } from "./export.ts";
import { importLines, type ImportParts, type ImportProgress } from "./import.ts";

export interface TransfersParts extends Omit<ExportParts, "store">, Omit<ImportParts, "store"> {
    /** Undefined without Redis. */
    readonly store: EntryStore | undefined;
    readonly knowledge: Pick<Knowledge, "await">;
    readonly log: Log;
}

export const TRANSFER_STATES = ["running", "done", "cancelled", "failed"] as const;

interface Common {
    readonly id: string;
    /** Null until an import's head has been read. */
    readonly tenant: string | null;
    readonly state: (typeof TRANSFER_STATES)[number];
    readonly begun: string;
    readonly ended: string | null;
    /** Why it failed. */
    readonly reason: string | null;
}

export type Transfer =
    | (Common & { readonly kind: "export"; readonly progress: ExportProgress })
    | (Common & { readonly kind: "import"; readonly progress: ImportProgress });

/** Exports and imports of this pod. Each lives as long as its client's connection. */
export interface Transfers {
    /** @throws HttpError without Redis, while it is away, or while another transfer runs */
    readonly export: (tenant: string) => Promise<Readable>;
    /** @throws HttpError as `export` does, and for an upload that does not belong here */
    readonly import: (upload: Readable) => Promise<ImportProgress>;
    /** The newest first. */
    readonly list: () => readonly Transfer[];
}

const MOST_KEPT = 20;

interface Kept {
    transfer: Transfer;
}

export function transfers(parts: TransfersParts): Transfers {
    const { spaceOf, log } = parts;
    let kept: readonly Kept[] = [];

    /** One a pod: two would only share what Redis gives. */
    function storeIfFree(): EntryStore {
        if (!parts.store) {
            const message =
                "This pod has no Redis: there is nothing to export, and nowhere to import to";
            throw new HttpError(409, message, { code: "no_redis" });
        }
        if (kept[0]?.transfer.state === "running") {
            const { kind } = kept[0].transfer;
            const message = `An ${kind} runs on this pod: wait for its end (GET /admin/v1/transfers)`;
            throw new HttpError(409, message, { code: "transfer_running" });
        }
        return parts.store;
    }

    function begin(
        one:
            | Pick<Extract<Transfer, { kind: "export" }>, "kind" | "tenant" | "progress">
            | Pick<Extract<Transfer, { kind: "import" }>, "kind" | "tenant" | "progress">,
    ): Kept {
        const begun = new Date().toISOString();
        const fresh = {
            id: randomUUID(),
            state: "running",
            begun,
            ended: null,
            reason: null,
        } as const;
        const record: Kept = { transfer: { ...fresh, ...one } };
        kept = [record, ...kept].slice(0, MOST_KEPT);
        return record;
    }

    function end(record: Kept, state: Transfer["state"], reason: string | null = null): void {
        record.transfer = { ...record.transfer, state, reason, ended: new Date().toISOString() };
        const { kind, progress } = record.transfer;
        const counts = Object.entries(progress).filter(([, value]) => typeof value === "number");
        log.info({ kind, state, reason, ...Object.fromEntries(counts) }, "Transfer ended");
    }

    return {
        export: async (tenant) => {
            await parts.knowledge.await();
            const store = storeIfFree();
            const progress: ExportProgress = { scanned: 0, keys: 0, entries: 0 };
            const record = begin({ kind: "export", tenant, progress });
            try {
                progress.keys = await store.count();
            } catch (error) {
                end(record, "failed", "Redis does not answer");
                throw redisAway(error, log);
            }
            const lines = exportedLines({ ...parts, store }, spaceOf(tenant), progress);
            const stream = Readable.from(lines);
            // Not by the lines' own end: a client may leave before the first one is taken.
            finished(stream, (error) => {
                if (!error) end(record, "done");
                else if (error.code === "ERR_STREAM_PREMATURE_CLOSE") end(record, "cancelled");
                else end(record, "failed", error.message);
            });
            return stream;
        },
        import: async (upload) => {
            await parts.knowledge.await();
            const store = storeIfFree();
            const progress: ImportProgress = {
                lines: 0,
                written: 0,
                kept: 0,
                refused: 0,
                refusals: [],
                complete: false,
            };
            const record = begin({ kind: "import", tenant: null, progress });
            try {
                await importLines({ ...parts, store }, upload, progress, ({ tenant }) => {
                    record.transfer = { ...record.transfer, tenant };
                });
                end(record, "done");
                return progress;
            } catch (error) {
                // The upload's own error is that its client has left.
                if (upload.errored && !(error instanceof HttpError)) end(record, "cancelled");
                else end(record, "failed", error instanceof Error ? error.message : String(error));
                throw redisAway(error, log);
            }
        },
        list: () => kept.map(({ transfer }) => transfer),
    };
}
