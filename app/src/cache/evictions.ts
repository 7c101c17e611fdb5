/** Something that was derived from entries, and must not outlive them. */
export interface DerivedData {
    /** The entry of this key was flagged or deleted. */
    readonly forget: (key: string) => void;
    /** Entries of many keys must no longer be used, for example those of a quarantined build. */
    readonly reset: () => void;
}

/** Passes on that entries must no longer be used. */
export interface Evictions extends DerivedData {
    readonly add: (data: DerivedData) => void;
}

export function createEvictions(): Evictions {
    const all: DerivedData[] = [];
    return {
        add: (data) => void all.push(data),
        forget: (key) => {
            for (const data of all) data.forget(key);
        },
        reset: () => {
            for (const data of all) data.reset();
        },
    };
}
