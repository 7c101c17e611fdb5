import { perColour, type PerColour } from "@property-search/contract";
import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Second, Sending } from "./sending.ts";

export interface Clients {
    /** The seconds that are over. */
    readonly seconds: () => readonly Second[];
    /** Ends them after their open requests. @throws Error when they had ended before */
    readonly stop: () => Promise<readonly Second[]>;
}

export interface Totals {
    readonly sent: number;
    readonly answered: PerColour<number>;
    readonly late: PerColour<number>;
    readonly slow: number;
    readonly failed: number;
    readonly failures: Readonly<Record<string, number>>;
    readonly worstMilliseconds: number;
    readonly seconds: number;
}

const PROGRAM = path.join(import.meta.dirname, "sender.ts");

/**
 * Starts the clients as a process of their own: what a test does meanwhile delays none of their requests.
 *
 * @returns when each text that they know was answered once, and they begin to arrive at their rate
 */
export async function startClients(sending: Sending): Promise<Clients> {
    const child = fork(PROGRAM, [JSON.stringify(sending)], {
        execArgv: ["--disable-warning=ExperimentalWarning"],
        stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const exited = once(child, "exit");
    const seconds: Second[] = [];
    child.on("message", (message) => seconds.push(message as Second));
    await Promise.race([once(child, "message"), exited]);
    return {
        seconds: () => seconds,
        stop: async () => {
            if (!child.connected) throw new Error("the clients had reached a bound and ended");
            child.send("stop");
            await exited;
            return seconds;
        },
    };
}

/** Of the seconds from one Unix time up to another, none of them half. */
export function totalsOf(all: readonly Second[], from = 0, to = Infinity): Totals {
    const seconds = all.filter(({ at }) => at >= from && at + 1 <= to);
    const sum = (of: (second: Second) => number) =>
        seconds.reduce((total, second) => total + of(second), 0);
    const failures: Record<string, number> = {};
    for (const [reason, count] of seconds.flatMap((second) => Object.entries(second.failures))) {
        failures[reason] = (failures[reason] ?? 0) + count;
    }
    return {
        sent: sum(({ sent }) => sent),
        answered: perColour((colour) => sum(({ answered }) => answered[colour])),
        late: perColour((colour) => sum(({ late }) => late[colour])),
        slow: sum(({ slow }) => slow),
        failed: Object.values(failures).reduce((total, count) => total + count, 0),
        failures,
        worstMilliseconds: Math.max(0, ...seconds.map((second) => second.worstMilliseconds)),
        seconds: seconds.length,
    };
}
