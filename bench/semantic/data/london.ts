/** Areas of London, each with the ways in which people write it; the first one is the full name. */
export const AREAS: readonly (readonly string[])[] = [
    ["Shepherd's Bush", "shepherds bush", "sheperds bush"],
    ["Canary Wharf", "canary wharf", "canary warf"],
    ["Notting Hill", "notting hill", "nottinghill"],
    ["Clapham", "clapham", "clapham sw4"],
    ["Hackney", "hackney", "hackney e8"],
    ["Islington", "islington", "islington n1"],
    ["Camden Town", "camden town", "camden"],
    ["Brixton", "brixton", "brixton sw2"],
    ["Greenwich", "greenwich", "greenwich se10"],
    ["Wimbledon", "wimbledon", "wimbledon sw19"],
    ["Ealing Broadway", "ealing broadway", "ealing bdwy"],
    ["Stratford", "stratford", "stratford e15"],
    ["Battersea", "battersea", "battersea sw11"],
    ["Peckham", "peckham", "peckham se15"],
    ["Richmond upon Thames", "richmond upon thames", "richmond"],
    ["Walthamstow", "walthamstow", "walthamstow e17"],
    ["King's Cross", "kings cross", "kings x"],
    ["Elephant and Castle", "elephant and castle", "elephant & castle"],
    ["St John's Wood", "st johns wood", "saint johns wood"],
    ["Crystal Palace", "crystal palace", "crystal palace se19"],
    ["Finsbury Park", "finsbury park", "finsbury pk"],
    ["Bethnal Green", "bethnal green", "bethnal grn"],
    ["Kensington", "kensington", "kensington w8"],
    ["Putney", "putney", "putney sw15"],
];

/** Kinds of points of interest: ways to write one of them. */
export const PLACES: readonly (readonly string[])[] = [
    ["tube station", "underground station", "tube", "tube stop"],
    ["primary school", "primary schools", "primary sch", "infant and junior school"],
    ["GP surgery", "gp", "doctors surgery", "GP practice"],
    ["supermarket", "supermarkets", "big supermarket", "food supermarket"],
    ["park", "parks", "green space", "public park"],
    ["gym", "gyms", "fitness centre", "gym / fitness club"],
    ["pharmacy", "chemist", "chemists", "late night pharmacy"],
    ["nursery", "nurseries", "day nursery", "childcare nursery"],
    ["dentist", "dentists", "nhs dentist", "dental practice"],
    ["library", "libraries", "public library", "local library"],
    ["swimming pool", "pool to swim", "leisure centre with pool", "swimming baths"],
    ["bus stop", "bus stops", "buses", "bus links"],
];

/** Sentences about a place `P` near an area `A`. */
export const PLACE_PATTERNS: readonly string[] = [
    "nearest P to A",
    "P near A",
    "where is the closest P to A",
    "A P nearby",
    "what P is nearest to A",
    "is there a P close to A?",
    "find P around A",
    "P within walking distance of A",
    "A nearest P",
    "how far is the P from A",
    "show me P in A",
    "P A",
];

export const HOMES: readonly (readonly string[])[] = [
    ["flat", "apartment", "apt", "flats"],
    ["house", "houses", "family house", "hse"],
    ["maisonette", "split level maisonette", "maisonettes", "duplex maisonette"],
];

export const BEDROOMS: readonly (readonly string[])[] = [
    ["one bedroom", "1 bed", "1 bedroom", "1br", "one bed", "1-bed"],
    ["two bedroom", "2 bed", "2 bedroom", "2br", "two bed", "2-bed"],
    ["three bedroom", "3 bed", "3 bedroom", "3br", "three bed", "3-bed"],
    ["four bedroom", "4 bed", "4 bedroom", "4br", "four bed", "4-bed"],
];

export const TENURES: readonly (readonly string[])[] = [
    ["to rent", "for rent", "to let", "rental", "renting"],
    ["for sale", "to buy", "on the market", "buying", "for purchase"],
];

export const FEATURES: readonly (readonly string[])[] = [
    ["", "", "", "", ""],
    ["with a garden", "with garden", "w/ garden", "garden", "that has a garden"],
    ["with a balcony", "with balcony", "w/ balcony", "balcony", "that has a balcony"],
    ["with parking", "with a parking space", "w/ parking", "off street parking", "parking incl"],
    ["where pets are allowed", "pets allowed", "pet friendly", "that takes pets", "dogs ok"],
    ["furnished", "fully furnished", "that is furnished", "furn.", "with furniture"],
    [
        "near good schools",
        "close to good schools",
        "good schools nearby",
        "nr good schools",
        "in good school catchment",
    ],
    ["with a lift", "with lift", "lift access", "in a building with a lift", "w/ lift"],
];

/** Sentences about a home: `B` bedrooms, `H` home, `T` tenure, `F` feature, `A` area. */
export const HOME_PATTERNS: readonly string[] = [
    "B H T in A F",
    "A B H T F",
    "B H F A T",
    "looking for a B H T in A F",
    "T: B H, A, F",
    "any B H T around A F?",
    "show me B H F T in A",
    "H T A B F",
    "i want a B H in A T F",
    "F B H in A T",
    "B H A T F",
    "can you find me a B H T F in A",
];
