/** Collects what `pulumi up` prints for pipes: what is worth telling, and what it did. */
export interface Progress {
    /** @returns the line without its noise, or undefined when it tells nothing new. */
    readonly line: (text: string) => string | undefined;
    /** What changed, such as `2 updated, 70 unchanged`. */
    readonly summary: () => string;
    /** Whether Pulumi has been asked to stop. */
    readonly cancelling: () => boolean;
}

/** Pulumi prints a state of a resource again with each tick, and dots while nothing happens. */
const TICK = /^@ updating|^\s*[+~-]+\s.*\b(?:creating|updating|deleting) \(\d+s\)\s*$/;
const COUNT = /^\s*[+~-]*\s*(\d+ (?:created|updated|replaced|deleted|unchanged|read|imported))\s*$/;

export function progress(): Progress {
    const told = new Set<string>();
    const counts: string[] = [];
    let cancelling = false;
    return {
        line: (text) => {
            const plain = text.trimEnd();
            if (plain.includes("received; cancelling")) cancelling = true;
            const count = COUNT.exec(plain)?.[1];
            if (count !== undefined) counts.push(count);
            if (plain === "" || TICK.test(plain) || told.has(plain)) return undefined;
            told.add(plain);
            return plain;
        },
        summary: () => (counts.length > 0 ? counts.join(", ") : "nothing to do"),
        cancelling: () => cancelling,
    };
}
