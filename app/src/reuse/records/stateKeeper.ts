import { detach } from "../../detach.ts";
import type { Log } from "../../log.ts";
import type { ReuseThread } from "../thread/client.ts";
import type { NamespaceId, NamespaceRef } from "../thread/messages.ts";
import type { TextStore } from "./textStore.ts";

/** Stores what the namespaces have learned, so that a pod that starts continues it instead of learning it again. */
export interface StateKeeper {
    /**
     * Gives the thread what was stored, after its texts, since its decisions depend on them. From then on the
     * namespace is stored: a new one must not replace what another pod has learned.
     *
     * @throws Error if Redis or the thread does not answer
     */
    readonly restore: (namespace: NamespaceRef) => Promise<void>;
    /** The thread no longer has this namespace. Undefined: it has none. */
    readonly release: (id?: NamespaceId) => void;
    /** Removes what was stored, because vectors that it was learned from may be wrong. */
    readonly removeAll: () => void;
    readonly start: () => void;
    /** Stores all namespaces a last time. */
    readonly stop: () => Promise<void>;
}

export interface StateKeeperOptions {
    readonly store: Pick<TextStore, "saveState" | "readState" | "removeState">;
    readonly thread: Pick<ReuseThread, "save" | "restore">;
    readonly log: Log;
}

const SAVE_MILLISECONDS = 30_000;

export function createStateKeeper({ store, thread, log }: StateKeeperOptions): StateKeeper {
    const kept = new Map<NamespaceId, NamespaceRef>();
    let timer: NodeJS.Timeout | undefined;

    async function save(namespace: NamespaceRef): Promise<void> {
        try {
            const sealed = await thread.save({ kind: "save", namespace });
            if (sealed === undefined || sealed === "unavailable") return;
            // It may have been released meanwhile, because its vectors may be wrong.
            if (kept.has(namespace.id)) await store.saveState(namespace.id, sealed);
        } catch (error) {
            log.debug({ error: String(error) }, "The state of semantic reuse could not be stored");
        }
    }

    async function saveAll(): Promise<void> {
        await Promise.all([...kept.values()].map(save));
    }

    return {
        restore: async (namespace) => {
            const sealed = await store.readState(namespace.id);
            const restored =
                sealed && (await thread.restore({ kind: "restore", namespace, sealed }));
            if (restored === "unavailable") throw new Error("The thread is not running");
            kept.set(namespace.id, namespace);
        },
        release: (id) => {
            if (id === undefined) kept.clear();
            else kept.delete(id);
        },
        removeAll: () => {
            for (const id of kept.keys())
                store.removeState(id).catch((error: unknown) => {
                    log.warn(
                        { error: String(error) },
                        "The state of semantic reuse could not be removed",
                    );
                });
            kept.clear();
        },
        start: () => {
            timer = setInterval(() => detach(saveAll()), SAVE_MILLISECONDS).unref();
        },
        stop: async () => {
            clearInterval(timer);
            await saveAll();
        },
    };
}
