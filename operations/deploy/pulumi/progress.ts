/** Filters the output of `pulumi up` and collects its summary. */
export interface Progress {
    /** @returns the line, or undefined if it has no new information */
    readonly filter: (text: string) => string | undefined;
    /** Summary of the changes, such as `2 updated, 70 unchanged`. */
    readonly summary: () => string;
    /** Whether Pulumi has received an interrupt. */
    readonly isCancelling: () => boolean;
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

export function createProgress(): Progress {
    const printed = new Set<string>();
    const counts: string[] = [];
    let isCancelling = false;
    return {
        filter: (text) => {
            const plain = text.trimEnd();
            if (plain.includes("received; cancelling")) isCancelling = true;
            const count = COUNT.exec(plain)?.[1];
            if (count !== undefined) counts.push(count);
            if (plain === "" || printed.has(plain)) return undefined;
            if (NOISE.some((noise) => noise.test(plain))) return undefined;
            printed.add(plain);
            return plain;
        },
        summary: () => (counts.length > 0 ? counts.join(", ") : "nothing to do"),
        isCancelling: () => isCancelling,
    };
}
