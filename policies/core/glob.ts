/** Whether a text is, from its beginning to its end, what a pattern says, in which `*` stands for anything. */
export function glob(pattern: string, text: string): boolean {
    const parts = pattern
        .split("*")
        .map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}
