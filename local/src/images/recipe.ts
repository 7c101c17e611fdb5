/** How one build goes: what decides its result, and what is given to `buildah build`. */
export interface Build {
    /** Hash over everything that goes into the image. */
    readonly key: string;
    /**
     * Fills an empty folder.
     *
     * @returns arguments of `buildah build`, with the context as the last.
     */
    readonly prepare: (folder: string) => Promise<readonly string[]>;
}
