/** What is known of a model before it has answered. */
export interface KnownModel {
    readonly dimensions: number;
    /** Trained so that a beginning of its vector is a vector too (Matryoshka, arXiv:2205.13147). */
    readonly shortens: boolean;
}

/** Source: OpenAI's model pages. The length of another model's vectors is known from its first answer. */
export const KNOWN_MODELS: Readonly<Record<string, KnownModel>> = {
    "text-embedding-3-small": { dimensions: 1536, shortens: true },
    "text-embedding-3-large": { dimensions: 3072, shortens: true },
    "text-embedding-ada-002": { dimensions: 1536, shortens: false },
};
