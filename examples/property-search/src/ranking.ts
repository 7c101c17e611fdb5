import type { Embedded } from "./catalogue.ts";
import type { Listing, Poi } from "./data/generate.ts";
import { cosine } from "./embeddings.ts";

/** Weight of meaning in the score of a point of interest; the rest is that of distance. */
export const MEANING_WEIGHT = 0.85;
const EARTH_RADIUS_METRES = 6_371_008.8;

export interface Place {
    /** Degrees. */
    readonly latitude: number;
    readonly longitude: number;
}

export interface RankedPoi {
    readonly poi: Poi;
    readonly distanceMetres: number;
    /** Cosine of the vectors of the query and the point of interest. */
    readonly similarity: number;
    readonly score: number;
}

export interface RankedListing {
    readonly listing: Listing;
    readonly similarity: number;
}

/** Metres between two places along the surface (haversine). */
export function distanceMetres(one: Place, other: Place): number {
    const radians = (degrees: number) => (degrees * Math.PI) / 180;
    const north = Math.sin(radians(other.latitude - one.latitude) / 2) ** 2;
    const east = Math.sin(radians(other.longitude - one.longitude) / 2) ** 2;
    const cosines = Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude));
    return 2 * EARTH_RADIUS_METRES * Math.asin(Math.sqrt(north + cosines * east));
}

/**
 * Points of interest within a radius, the best first:
 * score = 0.85 · similarity + 0.15 · (1 − distance / radius).
 */
export function rankPois(
    pois: readonly Embedded<Poi>[],
    near: Place,
    query: Float32Array,
    { radiusMetres, limit }: { readonly radiusMetres: number; readonly limit: number },
): readonly RankedPoi[] {
    return pois
        .flatMap(({ item: poi, vector }) => {
            const distance = distanceMetres(near, poi);
            if (distance > radiusMetres) return [];
            const similarity = cosine(query, vector);
            const closeness = 1 - distance / radiusMetres;
            const score = MEANING_WEIGHT * similarity + (1 - MEANING_WEIGHT) * closeness;
            return [{ poi, distanceMetres: distance, similarity, score }];
        })
        .sort((one, other) => other.score - one.score)
        .slice(0, limit);
}

/** Listings in the order of their similarity to a question. */
export function rankListings(
    listings: readonly Embedded<Listing>[],
    question: Float32Array,
): readonly RankedListing[] {
    return listings
        .map(({ item: listing, vector }) => ({ listing, similarity: cosine(question, vector) }))
        .sort((one, other) => other.similarity - one.similarity);
}
