import { KNOWN_MODELS } from "@property-search/contract";

export function nativeDimensions(model: string): number | undefined {
    return KNOWN_MODELS[model]?.dimensions;
}

export function supportsShortening(model: string): boolean {
    return KNOWN_MODELS[model]?.supportsShortening === true;
}

/**
 * @returns why the model does not support these dimensions, or undefined; the API of an unknown model decides
 * itself
 */
export function dimensionsError(model: string, dimensions: number): string | undefined {
    const known = KNOWN_MODELS[model];
    if (!known || dimensions === known.dimensions) return undefined;
    if (!known.supportsShortening)
        return `this model has vectors of ${known.dimensions} dimensions only`;
    if (dimensions <= known.dimensions) return undefined;
    return `this model has vectors of at most ${known.dimensions} dimensions`;
}
