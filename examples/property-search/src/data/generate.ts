import { AREAS, type Area } from "./areas.ts";
import { CLOSINGS, FEATURES, HOMES, KINDS, NAMES, STREETS, STYLES } from "./words.ts";

/** A home for sale. */
export interface Listing {
    readonly id: string;
    readonly title: string;
    readonly description: string;
    readonly area: string;
    /** Postcode district. */
    readonly postcode: string;
    readonly type: string;
    /** 0: a studio. */
    readonly bedrooms: number;
    readonly floorAreaSquareMetres: number;
    readonly pricePounds: number;
    readonly features: readonly string[];
    /** Degrees, WGS 84. */
    readonly latitude: number;
    readonly longitude: number;
}

/** A point of interest. */
export interface Poi {
    readonly id: string;
    readonly name: string;
    readonly kind: string;
    readonly area: string;
    readonly description: string;
    readonly latitude: number;
    readonly longitude: number;
}

export interface Dataset {
    readonly listings: readonly Listing[];
    readonly pois: readonly Poi[];
}

const SEED = 20_261_201;
const LISTINGS_PER_AREA = 12;
const PRICE_STEP_POUNDS = 5_000;
const SPREAD_METRES = 900;
const METRES_PER_DEGREE = 111_320;
const NUMBERS = ["", "one", "two", "three", "four", "five"];

/**
 * Creates the listings and points of interest: the same ones at each call. Areas and their coordinates are true, all
 * else is invented.
 *
 * @returns 360 listings and 450 points of interest
 */
export function generateDataset(): Dataset {
    const random = createRandom(SEED);
    const listings = AREAS.flatMap((area) =>
        Array.from({ length: LISTINGS_PER_AREA }, () => generateListing(area, random)),
    );
    const pois = AREAS.flatMap((area) => KINDS.map((kind) => generatePoi(area, kind, random)));
    return {
        listings: listings.map((listing, index) => ({ id: numbered("p", index), ...listing })),
        pois: pois.map((poi, index) => ({ id: numbered("poi-", index), ...poi })),
    };
}

function generateListing(area: Area, random: Random): Omit<Listing, "id"> {
    const home = random.pick(HOMES);
    const bedrooms = random.pick<number>(home.bedrooms);
    const style = random.pick(STYLES);
    const features = random.pickSome(FEATURES, 3);
    const floorAreaSquareMetres = Math.round(
        (home.base + bedrooms * home.perBedroom) * random.between(0.88, 1.15),
    );
    const price =
        area.poundsPerSquareMetre *
        floorAreaSquareMetres *
        (home.type === "penthouse" ? 1.25 : 1) *
        random.between(0.88, 1.14);
    const size = bedrooms === 0 ? "" : `${NUMBERS[bedrooms] ?? ""}-bedroom `;
    const what = `${style} ${size}${home.type}`;
    return {
        title: `${what.charAt(0).toUpperCase()}${what.slice(1)} in ${area.name}`,
        description: [
            `${floorAreaSquareMetres} square metres ${random.pick(STREETS)}, ${area.character}.`,
            ...features.map(([, sentence]) => sentence),
            random.pick(CLOSINGS),
        ].join(" "),
        area: area.name,
        postcode: area.postcode,
        type: home.type,
        bedrooms,
        floorAreaSquareMetres,
        pricePounds: Math.round(price / PRICE_STEP_POUNDS) * PRICE_STEP_POUNDS,
        features: features.map(([name]) => name),
        ...placeNear(area, random),
    };
}

function generatePoi(
    area: Area,
    { kind, suffix, about }: (typeof KINDS)[number],
    random: Random,
): Omit<Poi, "id"> {
    return {
        name: `${random.pick(NAMES)} ${suffix}`,
        kind,
        area: area.name,
        description: random.pick<string>(about),
        ...placeNear(area, random),
    };
}

/** A place at most SPREAD_METRES from the centre of an area, with as many per square metre everywhere. */
function placeNear({ latitude, longitude }: Area, random: Random) {
    const metres = SPREAD_METRES * Math.sqrt(random.between(0, 1));
    const angle = random.between(0, 2 * Math.PI);
    const north = (metres * Math.cos(angle)) / METRES_PER_DEGREE;
    const metresPerDegreeEast = METRES_PER_DEGREE * Math.cos((latitude * Math.PI) / 180);
    const east = (metres * Math.sin(angle)) / metresPerDegreeEast;
    return { latitude: roundDegrees(latitude + north), longitude: roundDegrees(longitude + east) };
}

/** To about ten centimetres, so that the last bits of a processor's sine do not matter. */
const roundDegrees = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;

const numbered = (prefix: string, index: number): string =>
    `${prefix}${String(index + 1).padStart(3, "0")}`;

interface Random {
    readonly between: (least: number, most: number) => number;
    readonly pick: <T>(list: readonly T[]) => T;
    /** Different items, in the order of the list. */
    readonly pickSome: <T>(list: readonly T[], count: number) => readonly T[];
}

/** Mulberry32: 32 bits of state, the same numbers on every machine. */
function createRandom(seed: number): Random {
    let state = seed;
    const next = (): number => {
        state = (state + 0x6d2b79f5) | 0;
        let bits = Math.imul(state ^ (state >>> 15), state | 1);
        bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
        return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
    };
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
    return {
        between: (least, most) => least + next() * (most - least),
        pick,
        pickSome: (list, count) => {
            const chosen = new Set<number>();
            while (chosen.size < count) chosen.add(Math.floor(next() * list.length));
            return list.filter((_, index) => chosen.has(index));
        },
    };
}
