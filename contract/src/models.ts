/** Facts about a model that are known without calling it. */
export interface KnownModel {
    readonly dimensions: number;
    /** The model is trained so that prefixes of its vectors are vectors, too (Matryoshka, arXiv:2205.13147). */
    readonly supportsShortening: boolean;
}

/** Source: OpenAI's model pages. For other models, the first response sets the dimensions. */
export const KNOWN_MODELS: Readonly<Record<string, KnownModel>> = {
    "text-embedding-3-small": { dimensions: 1536, supportsShortening: true },
    "text-embedding-3-large": { dimensions: 3072, supportsShortening: true },
    "text-embedding-ada-002": { dimensions: 1536, supportsShortening: false },
};
