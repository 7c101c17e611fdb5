/** Word lists of the generated listings and points of interest. Everything that they describe is invented. */

/** Homes by type: bedrooms and square metres for each number of bedrooms. */
export const HOMES = [
    { type: "studio", bedrooms: [0], base: 32, perBedroom: 0 },
    { type: "flat", bedrooms: [1, 2, 3], base: 34, perBedroom: 19 },
    { type: "maisonette", bedrooms: [2, 3], base: 42, perBedroom: 19 },
    { type: "terraced house", bedrooms: [2, 3, 4], base: 48, perBedroom: 22 },
    { type: "semi-detached house", bedrooms: [3, 4, 5], base: 55, perBedroom: 25 },
    { type: "mews house", bedrooms: [2, 3], base: 50, perBedroom: 22 },
    { type: "penthouse", bedrooms: [2, 3], base: 60, perBedroom: 26 },
] as const;

export const STYLES = [
    "bright",
    "Victorian",
    "newly built",
    "recently renovated",
    "Edwardian",
    "compact",
    "spacious",
    "converted",
    "modern",
    "characterful",
    "split-level",
    "Georgian",
];

export const STREETS = [
    "on a quiet residential street",
    "on a lively street with shops and cafés",
    "in a gated courtyard away from traffic",
    "on a tree-lined avenue",
    "facing a garden square",
    "a short walk from the station",
    "above an independent bakery",
    "at the end of a cul-de-sac",
    "overlooking the water",
    "in a conservation area",
];

/** What a listing may have: the name, and a sentence about it. */
export const FEATURES = [
    ["garden", "A south-facing private garden with a patio gets sun until the evening."],
    ["balcony", "The balcony has room for a table and overlooks the treetops."],
    ["parking", "An off-street parking space with a charger for electric cars is included."],
    ["lift", "The building has a lift and step-free access throughout."],
    ["fireplace", "Original fireplaces, sash windows and high ceilings have been kept."],
    ["home office", "A separate study makes a calm home office with fast fibre internet."],
    ["open kitchen", "The open-plan kitchen with an island is made for cooking with friends."],
    ["roof terrace", "A private roof terrace looks over the skyline."],
    ["cycle store", "There is a secure cycle store on the ground floor."],
    ["concierge", "A concierge, a gym and a residents' lounge are part of the building."],
    ["underfloor heating", "Underfloor heating and triple glazing keep the bills low."],
    ["loft", "A converted loft gives a main bedroom with its own bathroom."],
    ["utility room", "A utility room keeps the laundry out of sight."],
    ["pets welcome", "Pets are welcome under the terms of the lease."],
    ["playground", "Families share a playground and a lawn behind the house."],
    ["cellar", "A dry cellar offers storage for bicycles and wine."],
    ["solar panels", "Solar panels and a heat pump give an energy rating of A."],
    ["river view", "Large windows frame a view of the river."],
] as const;

export const CLOSINGS = [
    "It suits a young family that wants space and good schools nearby.",
    "It suits a couple who want to walk to restaurants in the evening.",
    "It suits first-time buyers, with low service charges.",
    "It suits people who work from home and need quiet.",
    "It suits someone who wants a home that needs no work.",
    "It suits buyers who would like to renovate in their own way.",
    "It suits commuters, with the train in five minutes.",
    "It suits downsizers who want a safe, managed building.",
];

/** First parts of the names of points of interest. */
export const NAMES = [
    ...["Alder", "Beacon", "Cedar", "Dove", "Elm", "Fountain", "Garnet", "Heron", "Ivy", "Juniper"],
    ...["Kestrel", "Larch", "Magpie", "Nightingale", "Orchard", "Pelham", "Quarry", "Rowan"],
    ...["Sorrel", "Tanner", "Umber", "Verity", "Willow", "Yarrow", "Ashby", "Bramble", "Copper"],
    ...["Drayton", "Ember", "Foxglove"],
];

/** Kinds of points of interest: what names end with, and descriptions. Each area has one of each kind. */
export const KINDS = [
    {
        kind: "park",
        suffix: "Gardens",
        about: [
            "A quiet park with old trees, a pond and benches away from the traffic.",
            "A peaceful green space with lawns, a rose garden and shaded paths for walking.",
            "A calm walled park where people read on the grass and dogs are kept on a lead.",
        ],
    },
    {
        kind: "sports ground",
        suffix: "Fields",
        about: [
            "Football pitches, tennis courts and a running track, busy at weekends.",
            "A large open field for cricket and football, with an outdoor gym.",
            "Floodlit courts for basketball and tennis that anyone can book.",
        ],
    },
    {
        kind: "playground",
        suffix: "Playground",
        about: [
            "A fenced playground with swings, sand and water for small children.",
            "An adventure playground with climbing nets and a zip line for older children.",
            "A toddler-friendly playground with a café where parents can sit.",
        ],
    },
    {
        kind: "primary school",
        suffix: "Primary School",
        about: [
            "A small primary school with a forest garden and a breakfast club.",
            "A well-liked primary school with two forms a year and after-school music.",
            "A state primary school that teaches Spanish from reception on.",
        ],
    },
    {
        kind: "nursery",
        suffix: "Nursery",
        about: [
            "Day care for babies and toddlers, open from half past seven to six.",
            "A nursery school that spends every morning outdoors.",
            "Child care with home-cooked meals and flexible half days.",
        ],
    },
    {
        kind: "bus interchange",
        suffix: "Interchange",
        about: [
            "Buses to the centre every four minutes, and night buses all week.",
            "Step-free stops for eight bus routes beside a cycle hub.",
            "An express bus to the railway terminus and the airport coach.",
        ],
    },
    {
        kind: "supermarket",
        suffix: "Stores",
        about: [
            "A large supermarket with a bakery and fish counter, open until eleven at night.",
            "A convenience store for groceries that is open around the clock.",
            "A zero-waste grocery where you fill your own jars.",
        ],
    },
    {
        kind: "market",
        suffix: "Market",
        about: [
            "A Saturday farmers' market with vegetables, cheese and street food.",
            "A covered market with fabrics, spices and vinyl records.",
            "A flower and antiques market on Sunday mornings.",
        ],
    },
    {
        kind: "café",
        suffix: "Coffee",
        about: [
            "A specialty coffee shop with fast internet and tables for laptops.",
            "A cosy café with cakes, board games and a garden at the back.",
            "An all-day breakfast café that welcomes children and dogs.",
        ],
    },
    {
        kind: "pub",
        suffix: "Arms",
        about: [
            "A traditional pub with a fireplace, cask ale and a Sunday roast.",
            "A lively pub with live music on Fridays and a beer garden.",
            "A gastropub by the water with a quiz night.",
        ],
    },
    {
        kind: "restaurant",
        suffix: "Kitchen",
        about: [
            "A family-run Italian restaurant with wood-fired pizza.",
            "A small vegetarian restaurant with dishes from South India.",
            "A Turkish grill that serves until two in the morning.",
        ],
    },
    {
        kind: "gym",
        suffix: "Leisure Centre",
        about: [
            "A leisure centre with a swimming pool, sauna and fitness classes.",
            "A gym open day and night, with weights and a climbing wall.",
            "A yoga and pilates studio with classes before work.",
        ],
    },
    {
        kind: "library",
        suffix: "Library",
        about: [
            "A public library with a silent study room and story time for children.",
            "A restored library with local archives and evening talks.",
            "A library and maker space with free computers.",
        ],
    },
    {
        kind: "health centre",
        suffix: "Health Centre",
        about: [
            "A doctors' surgery that takes new patients, with a pharmacy next door.",
            "A health centre with doctors, a dentist and physiotherapy.",
            "A walk-in clinic and pharmacy, open at weekends.",
        ],
    },
    {
        kind: "cinema",
        suffix: "Picture House",
        about: [
            "An independent cinema with sofas and a bar that shows art-house films.",
            "A theatre and cinema with comedy nights and children's matinees.",
            "A restored picture palace with an organ and classic films.",
        ],
    },
] as const;
