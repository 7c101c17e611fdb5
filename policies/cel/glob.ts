/** Converts a glob to a regular expression for the whole text; `*` matches any characters. */
export function globPattern(glob: string): RegExp {
    const parts = glob
        .split("*")
        .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join(".*")}$`, "s");
}

export function glob(pattern: string, text: string): boolean {
    return globPattern(pattern).test(text);
}
