import type { Step } from "../shell.ts";

/** How one build goes: what decides its result, and how its archive is made. */
export type Build = BuildahBuild | WrittenBuild;

interface Keyed {
    /** Hash over everything that goes into the image. */
    readonly key: string;
}

/** Of a Dockerfile. */
export interface BuildahBuild extends Keyed {
    /**
     * Fills an empty folder.
     *
     * @returns arguments of `buildah build`, with the context as the last.
     */
    readonly prepare: (folder: string) => Promise<readonly string[]>;
}

/** Of files that are an image already. */
export interface WrittenBuild extends Keyed {
    /** Writes the archive, by way of an empty folder. */
    readonly write: (
        step: Step,
        folder: string,
        reference: string,
        archive: string,
    ) => Promise<void>;
}
