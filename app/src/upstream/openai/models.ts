interface KnownModel {
    readonly dimensions: number;
    /** Trained so that a beginning of its vector is a vector too (Matryoshka, arXiv:2205.13147). */
    readonly shortens: boolean;
}

/** Source: OpenAI's model pages. Other models tell their length with their first answer. */
const KNOWN_MODELS: Readonly<Record<string, KnownModel>> = {
    "text-embedding-3-small": { dimensions: 1536, shortens: true },
    "text-embedding-3-large": { dimensions: 3072, shortens: true },
    "text-embedding-ada-002": { dimensions: 1536, shortens: false },
};

export function nativeDimensions(model: string): number | undefined {
    return KNOWN_MODELS[model]?.dimensions;
}

export function shortens(model: string): boolean {
    return KNOWN_MODELS[model]?.shortens === true;
}

/** What is wrong with a wish for vectors of this length; an unknown model's API decides by itself. */
export function dimensionsFault(model: string, dimensions: number): string | undefined {
    const known = KNOWN_MODELS[model];
    if (!known || dimensions === known.dimensions) return undefined;
    if (!known.shortens) return `this model has vectors of ${known.dimensions} dimensions only`;
    if (dimensions <= known.dimensions) return undefined;
    return `this model has vectors of at most ${known.dimensions} dimensions`;
}
