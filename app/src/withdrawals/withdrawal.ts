/** Copies of an entry that must not be served any more, in any pod. Times in milliseconds since the epoch. */
export interface Withdrawal {
    readonly key: string;
    /** A flag says that the vector is wrong; a deletion says nothing about it. */
    readonly kind: "flagged" | "deleted";
    readonly reason: string;
    readonly actor: string;
    readonly at: number;
    /** Copies made until then are withdrawn; what was fetched later is served. */
    readonly upTo: number;
    /** From then on no such copy can be alive, and the record ends. */
    readonly until: number;
}
