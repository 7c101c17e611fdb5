/** A part of London. Names, postcode districts and coordinates are true; the price level is a rough guess. */
export interface Area {
    readonly name: string;
    readonly postcode: string;
    /** Degrees north, WGS 84. */
    readonly latitude: number;
    /** Degrees east. */
    readonly longitude: number;
    /** Price of a square metre, in pounds. */
    readonly poundsPerSquareMetre: number;
    /** Words about the area, which follow "in". */
    readonly character: string;
}

function area(
    name: string,
    postcode: string,
    [latitude, longitude]: readonly [number, number],
    poundsPerSquareMetre: number,
    character: string,
): Area {
    return { name, postcode, latitude, longitude, poundsPerSquareMetre, character };
}

export const AREAS: readonly Area[] = [
    area("Balham", "SW12", [51.4431, -0.1524], 8_900, "near two commons and a busy high road"),
    area("Battersea", "SW11", [51.4705, -0.171], 10_200, "between the river and the park"),
    area("Bermondsey", "SE1", [51.4979, -0.0637], 10_400, "among converted warehouses"),
    area("Bethnal Green", "E2", [51.527, -0.0549], 8_800, "close to galleries and markets"),
    area("Brixton", "SW9", [51.4613, -0.1156], 8_000, "with music venues and covered markets"),
    area("Camden Town", "NW1", [51.539, -0.1426], 10_900, "beside the canal and its markets"),
    area("Canary Wharf", "E14", [51.505, -0.02], 8_700, "among towers and docks"),
    area("Chelsea", "SW3", [51.4875, -0.1687], 17_500, "with garden squares and boutiques"),
    area("Chiswick", "W4", [51.4925, -0.258], 9_600, "with wide streets by the river"),
    area("Clapham", "SW4", [51.462, -0.138], 9_300, "around a large open common"),
    area("Crouch End", "N8", [51.5795, -0.1238], 8_500, "a village of independent shops"),
    area("Crystal Palace", "SE19", [51.418, -0.073], 6_300, "on a ridge with views of the city"),
    area("Ealing", "W5", [51.513, -0.304], 7_400, "among leafy avenues"),
    area("East Dulwich", "SE22", [51.4614, -0.0807], 8_300, "with cafés and family streets"),
    area("Finsbury Park", "N4", [51.5642, -0.1065], 8_100, "with fast trains in all directions"),
    area("Greenwich", "SE10", [51.4779, -0.009], 7_600, "below the hill of the royal park"),
    area("Hackney", "E8", [51.545, -0.0553], 8_900, "between parks and railway arches"),
    area("Hammersmith", "W6", [51.4927, -0.224], 9_400, "by the bridge and the river path"),
    area("Hampstead", "NW3", [51.5566, -0.178], 13_200, "a hill village at the edge of the heath"),
    area("Highgate", "N6", [51.5716, -0.1465], 10_800, "a quiet village between two woods"),
    area("Islington", "N1", [51.5362, -0.103], 11_300, "among Georgian terraces"),
    area("Kensington", "W8", [51.501, -0.1925], 16_800, "close to museums and palace gardens"),
    area("Lewisham", "SE13", [51.4652, -0.0132], 6_600, "around a renewed town centre"),
    area("Notting Hill", "W11", [51.509, -0.196], 15_400, "with painted terraces and antiques"),
    area("Peckham", "SE15", [51.474, -0.069], 7_400, "with rooftop bars and studios"),
    area("Putney", "SW15", [51.4613, -0.216], 8_800, "on the river with rowing clubs"),
    area("Richmond", "TW9", [51.4613, -0.3037], 9_900, "by the river and the deer park"),
    area("Stoke Newington", "N16", [51.562, -0.075], 9_100, "with bookshops and a walled park"),
    area("Stratford", "E15", [51.5416, -0.0033], 7_200, "beside the Olympic park"),
    area("Walthamstow", "E17", [51.583, -0.0197], 6_900, "with wetlands and a village street"),
];
