import type { PerColour } from "@property-search/contract";

/** What the clients of a switch send, from a process of their own. Everything is bounded. */
export interface Sending {
    readonly url: string;
    /** Where connections go, and the authorities that are trusted. Default: the URL's own address, Node's. */
    readonly endpoint?: { readonly host: string; readonly ca?: string };
    /** Of each request, besides the type of its body. */
    readonly headers: Readonly<Record<string, string>>;
    /** Requests that arrive a second, evenly, whether or not earlier ones are answered. */
    readonly perSecond: {
        /** By connections that are kept alive. */
        readonly kept: number;
        /** Each by a new connection. */
        readonly fresh: number;
        /** Each of which takes SLOW_SECONDS to send its body. */
        readonly slow: number;
    };
    /** Texts that are requested repeatedly. */
    readonly known: number;
    /** Ratio (0–1) of requests for new texts. */
    readonly unknown: number;
    /** From when on an answer counts as late. */
    readonly lateMilliseconds: number;
    readonly maxSeconds: number;
    readonly maxRequests: number;
}

export const SLOW_SECONDS = 3;

/** Requests that ended in one second, which the process reports after it. */
export interface Second {
    /** Unix time in seconds. */
    readonly at: number;
    /** Requests that were begun. */
    readonly sent: number;
    readonly answered: PerColour<number>;
    /** Of those answered, those that took longer than `lateMilliseconds`. */
    readonly late: PerColour<number>;
    /** Of those answered, those that took SLOW_SECONDS to be sent. */
    readonly slow: number;
    /** Requests that got no 200, by what they got instead. */
    readonly failures: Readonly<Record<string, number>>;
    /** Longest that one of those answered has taken, from when it was due. */
    readonly worstMilliseconds: number;
}
