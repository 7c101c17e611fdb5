/** Converts a glob to a regular expression for the whole text; `*` matches any characters. */
export function globToRegExp(glob: string): RegExp {
    const parts = glob
        .split("*")
        .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join(".*")}$`, "s");
}

export function matchesGlob(pattern: string, text: string): boolean {
    return globToRegExp(pattern).test(text);
}
