import type { Constraints } from "./constraints.ts";

export interface Turn {
    readonly message: string;
    readonly answer: string;
}

/** What a session remembers between its messages. */
export interface Session {
    readonly constraints: Constraints;
    /** The last message that describes a home, besides numbers and places. Empty: none. */
    readonly topic: string;
    /** The newest last. */
    readonly turns: readonly Turn[];
}

export interface Sessions {
    /** @returns an empty session for an ID that is unknown or was forgotten. */
    readonly get: (id: string) => Session;
    /** Cuts long texts and old turns. */
    readonly set: (id: string, session: Session) => void;
    readonly count: () => number;
}

export interface SessionLimits {
    readonly maxSessions: number;
    readonly lifetimeMilliseconds: number;
    readonly now?: () => number;
}

const EMPTY: Session = { constraints: {}, topic: "", turns: [] };
const MAX_TURNS = 4;
/** Of a message and of an answer: a session takes about 10 kB at most. */
const MAX_CHARACTERS = 1_000;

/** Sessions in the memory of the process: lost with it, and not shared with other pods. */
export function createSessions({
    maxSessions,
    lifetimeMilliseconds,
    now = Date.now,
}: SessionLimits): Sessions {
    // In the order of use, the oldest first, as a Map keeps its insertions.
    const sessions = new Map<string, { readonly session: Session; readonly usedAt: number }>();
    const forget = (): void => {
        for (const [id, { usedAt }] of sessions) {
            const hasExpired = now() - usedAt >= lifetimeMilliseconds;
            if (!hasExpired && sessions.size <= maxSessions) return;
            sessions.delete(id);
        }
    };
    return {
        get: (id) => {
            forget();
            return sessions.get(id)?.session ?? EMPTY;
        },
        set: (id, { constraints, topic, turns }) => {
            const cut = (text: string) => text.slice(0, MAX_CHARACTERS);
            const kept = turns
                .slice(-MAX_TURNS)
                .map(({ message, answer }) => ({ message: cut(message), answer: cut(answer) }));
            sessions.delete(id);
            const session = { constraints, topic: cut(topic), turns: kept };
            sessions.set(id, { session, usedAt: now() });
            forget();
        },
        count: () => {
            forget();
            return sessions.size;
        },
    };
}
