/** Of a text that is, from its beginning to its end, what a glob says, in which `*` stands for anything. */
export function globPattern(glob: string): RegExp {
    const parts = glob
        .split("*")
        .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join(".*")}$`, "s");
}

export function glob(pattern: string, text: string): boolean {
    return globPattern(pattern).test(text);
}
