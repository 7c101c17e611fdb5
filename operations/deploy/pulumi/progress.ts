/** Collects what `pulumi up` prints for pipes: what is worth telling, and what it did. */
export interface Progress {
    /** @returns the line without its noise, or undefined when it tells nothing new. */
    readonly line: (text: string) => string | undefined;
    /** What changed, such as `2 updated, 70 unchanged`. */
    readonly summary: () => string;
    /** Whether Pulumi has been asked to stop. */
    readonly cancelling: () => boolean;
}

/**
 * What tells nothing: dots while nothing happens, a state of a resource again with each tick, resources that were
 * looked at or stay as they are, and warnings that stand in the summary or are about the CLI's own files.
 */
const NOISE = [
    /^@ updating/,
    /^\s*[+~-]+\s.*\b(?:creating|updating|deleting|refreshing) \(\d+s\)\s*$/,
    /^\s*~\s.*\brefreshing \(\d+s\) \w+ initialization complete\s*$/,
    /^\s*~\s.*\brefresh \([\d.]+m?s\)\s*$/,
    /^\s+[\w./-]+:[\w./-]+:\w+ [^\s(]+\s*$/,
    /^\s*[+~-]*\s+pulumi:pulumi:Stack \S+ .*warning: /,
    /^\s*warning: using pulumi-\S+ from \$PATH/,
];
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
            if (plain === "" || told.has(plain)) return undefined;
            if (NOISE.some((noise) => noise.test(plain))) return undefined;
            told.add(plain);
            return plain;
        },
        summary: () => (counts.length > 0 ? counts.join(", ") : "nothing to do"),
        cancelling: () => cancelling,
    };
}
