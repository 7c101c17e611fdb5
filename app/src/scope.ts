/** What a request brings along to every tier, beside its items. */
export interface Scope {
    /** Whose entries may be read and written: part of every key. */
    readonly tenant: string;
    /** Length of the vectors, or undefined for the model's own. */
    readonly dimensions: number | undefined;
    /** In milliseconds of `performance.now()`, which no clock step moves: a later answer reaches nobody. */
    readonly deadline: number;
}

/** The tenant of a service that is configured to answer everybody. */
export const ANONYMOUS = "anonymous";
