/** Filters the output of `pulumi up` and collects its summary. */
export interface Progress {
    /** @returns the line, or undefined if it has no new information */
    readonly line: (text: string) => string | undefined;
    /** Summary of the changes, such as `2 updated, 70 unchanged`. */
    readonly summary: () => string;
    /** Whether Pulumi has received an interrupt. */
    readonly cancelling: () => boolean;
}

/**
 * Lines without information: repeated states of a resource, unchanged resources, and warnings that the summary repeats or
 * that are about the CLI's own files.
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
