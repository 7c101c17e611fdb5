import { RELEASE } from "@property-search/contract";
import type { Manifest, ObjectReference } from "../../cluster/connect.ts";
import type { Api } from "../../release/api.ts";
import type { ObjectStore } from "./objectStore.ts";

/** Fault of a call: none, before it is processed, or its response is lost. */
export type Fault = "none" | "refused" | "lost";

export interface Caller {
    readonly api: Api;
    /** From now on no call of this caller is processed or answered, as after SIGKILL. */
    readonly kill: () => void;
    readonly isKilled: () => boolean;
    /** Counts a point at which the caller can be killed; it returns if the caller survives. */
    readonly point: () => Promise<void>;
}

export interface CallerOptions {
    /** Fault of the nth call. */
    readonly fault?: (call: number) => Fault;
    /** Point at which the caller is killed: each call has one before and one after it. */
    readonly killAt?: number;
    readonly onPoint?: (point: number) => void;
}

/** The API of one driver. */
export function caller(server: ObjectStore, options: CallerOptions = {}): Caller {
    const { fault = () => "none", killAt, onPoint } = options;
    let calls = 0;
    let points = 0;
    let killed = false;

    const point = async (): Promise<void> => {
        const number = points;
        points += 1;
        onPoint?.(number);
        if (number === killAt) killed = true;
        if (killed) await new Promise<never>(() => undefined);
    };

    async function call<T>(work: () => T): Promise<T> {
        await point();
        const what = fault(calls);
        calls += 1;
        if (what === "refused") throw Object.assign(new Error("try later"), { code: 429 });
        const result = work();
        await point();
        if (what === "lost") throw Object.assign(new Error("connection reset"), { code: 500 });
        return result;
    }

    return {
        kill: () => (killed = true),
        isKilled: () => killed,
        point,
        api: {
            read: <T extends Manifest>(reference: ObjectReference) =>
                call(() => server.read(reference) as T | undefined),
            create: (object) => call(() => server.create(object)),
            replace: (object) => call(() => server.replace(object)),
            apply: (object) => call(() => server.apply(object, RELEASE.fieldManager, true)),
        },
    };
}
