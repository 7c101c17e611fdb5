/** Invalidation of an entry's copies in all pods. Times are milliseconds since the Unix epoch. */
export interface Invalidation {
    readonly key: string;
    /** A flag marks the vector as wrong; a deletion does not. */
    readonly kind: "flagged" | "deleted";
    readonly reason: string;
    readonly actor: string;
    readonly recordedAt: number;
    /** Copies created until then are invalid; later ones are served. */
    readonly invalidBefore: number;
    /** Expiry of the record: no such copy outlives it. */
    readonly expiresAt: number;
}
