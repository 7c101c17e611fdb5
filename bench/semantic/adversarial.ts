import { compileRules } from "../../app/src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../app/src/semantic/defaultRules.ts";
import { extractFacts, findVeto } from "../../app/src/semantic/vetoes.ts";
import { readEqualPairs, type Pair } from "./data/equalPairs.ts";

/** Pairs that look alike and must not share an answer. */
export const PAIRS: Readonly<Record<string, readonly Pair[]>> = {
    negation: [
        ["are pets allowed in the flat", "are pets not allowed in the flat"],
        ["flats with a lift in Putney", "flats without a lift in Putney"],
        ["can tenants smoke inside", "can't tenants smoke inside"],
        ["homes that need work", "homes that need no work"],
        ["agents who charge fees", "agents who never charge fees"],
        ["can I cancel after signing", "can I no longer cancel after signing"],
        ["is the deposit refundable", "is the deposit non-refundable"],
    ],
    numbers: [
        ["2 bed flat to rent in Hackney", "3 bed flat to rent in Hackney"],
        ["flats under £1500 a month", "flats under £2500 a month"],
        ["mortgage at 4.5% interest", "mortgage at 5.4% interest"],
        ["studio within 10 minutes of the tube", "studio within 20 minutes of the tube"],
        ["two bedroom house in Ealing", "four bedroom house in Ealing"],
        ["a flat for 2 adults and 3 children", "a flat for 3 adults and 2 children"],
        ["houses at £450k to £500k", "houses at £400k to £500k"],
        ["houses under £450k", "houses under £450"],
        ["flats with at least two bathrooms", "flats with at most two bathrooms"],
        ["viewings on the 3rd of May", "viewings on the 30th of May"],
    ],
    time: [
        ["listed 5 days ago", "listed in 5 days"],
        ["homes added in the last 2 weeks", "homes available in the next 2 weeks"],
        ["the lease ended 3 months ago", "the lease ends in 3 months"],
        ["rents 10 years ago", "rents 10 years from now"],
        ["I paid a week earlier", "I pay a week later"],
        ["open until 6pm", "open since 6pm"],
        ["moving before Monday", "moving after Monday"],
    ],
    opposites: [
        ["2 bed flat to rent in Soho", "2 bed flat for sale in Soho"],
        ["turn on the heating alerts", "turn off the heating alerts"],
        ["furnished flats in Chelsea", "unfurnished flats in Chelsea"],
        ["cheapest houses in Fulham", "most expensive houses in Fulham"],
        ["deposit money into my account", "withdraw money from my account"],
        ["quiet streets in Hackney", "noisy streets in Hackney"],
        ["is it legal to sublet", "is it illegal to sublet"],
        ["can I lend money to a friend", "can I borrow money from a friend"],
    ],
    roles: [
        ["rent from owner to agency", "rent from agency to owner"],
        ["does the owner pay the agency", "does the agency pay the owner"],
        ["can a landlord sue the letting agent", "can the letting agent sue a landlord"],
        ["the buyer sends the survey to the bank", "the bank sends the survey to the buyer"],
        ["schools near stations", "stations near schools"],
        ["rent paid by my flatmate for me", "rent paid by me for my flatmate"],
        ["convert pounds into euros", "convert euros into pounds"],
        ["who did the council fine the agent for", "who did the agent fine the council for"],
    ],
    entities: [
        ["schools near Clapham", "schools near Brixton"],
        ["schools in clapham sw4", "schools in clapham sw11"],
        ["flats in Greenwich with parking", "flats in Hampstead with parking"],
        ["who sold the house to Ada Lovelace", "who sold the house to Grace Hopper"],
        ["reviews of Foxtons as an agent", "reviews of Savills as an agent"],
        ['what does "share of freehold" mean', 'what does "flying freehold" mean'],
        ["Acton flats", "Balham flats"],
        ["margate flats to rent", "whitby flats to rent"],
        ["2 bed flat to rent bolton", "2 bed flat to rent wigan"],
        ["Penzance 3 bed houses for sale", "Falmouth 3 bed houses for sale"],
        ["trains from Leeds to York", "trains from York to Leeds"],
    ],
    code: [
        ["is C++ used by the listing API", "is C# used by the listing API"],
        ["is C used by the listing API", "is C++ used by the listing API"],
        ["what does getPrice return", "what does setPrice return"],
        ["read listings.json", "read listings.yaml"],
        ["x == y in the filter", "x != y in the filter"],
        ["price > budget", "price < budget"],
    ],
    characters: [
        ["flat in Soho", "fl\u0430t in Soho"],
        ["flat in Soho", "flat\u200b in Soho"],
        ["rent in Paddington", "rent in P\u0430ddington"],
        ["公寓出租", "公寓出售"],
        ["квартира в центре", "квартира не в центре"],
        ["flats in Soh\u043e to rent", "flats in Soho to rent"],
    ],
    crafted: [
        ["flats in Soho", "flats in Soho flats in Soho ignore that, houses in Soho to buy"],
        ["cancel my viewing", "do not cancel my viewing"],
        ["send the deposit to account 11112222", "send the deposit to account 22221111"],
        ["rent is due on 2026-11-01", "rent is due on 2026-01-11"],
        ["north facing garden flats", "south facing garden flats"],
        ["is the flat in Soho or in Fulham cheaper", "is the flat in Soho or in Putney cheaper"],
    ],
};

/** Pairs that mean the same: a veto that separates them costs an answer. */
export const PARAPHRASES: readonly Pair[] = [
    ["2 bed flat to rent in Hackney", "two bedroom apartment to let in hackney"],
    ["flats with a garden in Putney", "putney flats with garden"],
    ["cheap studios near Soho", "inexpensive studio close to soho"],
    ["is there a gym near Putney?", "any gyms around putney"],
    ["houses under £450k in Ealing", "ealing houses up to 450,000"],
    ["how do I cancel a viewing", "how can I call off a viewing"],
    ["what does leasehold mean", "meaning of leasehold"],
    ["are pets allowed", "can I bring pets"],
    ["how much is the deposit", "what deposit do I have to pay"],
    ["when is the rent due", "on which day do I pay rent"],
    ["flats added in the last 2 weeks", "flats listed in the past 2 weeks"],
    ["listed 5 days ago", "added 5 days ago"],
    ["the lease ends in 3 months", "lease ending in three months"],
    ["does the owner pay the agency", "is the agency paid by the owner"],
    ["schools near stations", "schools close to stations"],
    ["trains from Leeds to York", "trains to york from leeds"],
    ["who pays council tax", "who has to pay the council tax"],
    ["can my landlord raise the rent", "is my landlord allowed to put the rent up"],
    ["modern flats in Soho", "contemporary apartments in soho"],
    ["cheap flats", "affordable flats"],
    ["Acton flats", "flats in Acton"],
    ["2 bed flat acton", "acton 2 bedroom flat"],
    ["rent flat hackney", "hackney flat rent"],
    ["garden and parking", "parking and garden"],
    ["flat with garden near park", "flat near park with garden"],
    ["three bed house for sale in Barnet", "barnet 3 bedroom houses to buy"],
    ["I have lost my keys", "my keys are lost"],
    ["my card has not arrived", "I haven't received my card"],
    ["card was declined", "why is my card declined"],
    ["I cannot log in", "I can't sign in"],
    ["how do I top up my account", "how can I add money to my account"],
    ["how long does a transfer take", "what is the duration of a transfer"],
    ["what is the exchange rate", "which exchange rate do you use"],
    ["I want to close my account", "please close my account"],
    ["does it have a lift", "is there a lift"],
    ["flats to rent with bills included", "bills included flats to let"],
    ["nearest tube to Greenwich", "closest underground station to greenwich"],
    ["fully furnished studio in Soho", "studio in soho with furniture"],
    ["what time does the office open", "opening time of the office"],
    ["who do I call about a leak", "who should I contact about a leak"],
    ["how do I become a landlord", "what do I need to do to become a landlord"],
    ["best areas for families in London", "which london areas are best for families"],
    ["is Brixton safe", "how safe is brixton"],
    ["average rent in Camden", "what is the average rent in camden town"],
    ["first time buyer mortgage", "mortgages for first-time buyers"],
    ["flat for 2 adults and 3 children", "apartment for three children and two adults"],
    ["10 minutes from the tube", "10 min walk to the tube"],
    ["open until 7pm", "open until 19:00"],
    ["what are the agency fees", "how high are the fees of the agency"],
    ["move out before the lease ends", "leave before the end of the lease"],
    ["can I paint the walls", "am I allowed to paint the walls"],
    ["how do I report a repair", "how can I report a repair"],
    ["do I need a guarantor", "is a guarantor required"],
    ["show me houses with a garage", "houses with garage"],
    ["flats near good schools in Richmond", "richmond upon thames flats close to good schools"],
    ["new build flats in Stratford e15", "stratford new-build apartments"],
    ["what is stamp duty", "explain stamp duty"],
    ["is parking included", "does the price include parking"],
    ["convert pounds into euros", "change pounds to euros"],
    ["how do I get my deposit back", "how can I get back my deposit"],
];

export interface AdversarialResult {
    readonly kind: string;
    readonly vetoed: number;
    readonly pairs: number;
    readonly passed: readonly Pair[];
}

/** Counts the pairs that a veto separates; the gate decides on the others. */
export function checkPairs(): readonly AdversarialResult[] {
    return Object.entries(PAIRS).map(([kind, pairs]) => {
        const passed = pairs.filter((pair) => !isVetoed(pair));
        return { kind, pairs: pairs.length, vetoed: pairs.length - passed.length, passed };
    });
}

export interface ParaphraseResult {
    readonly name: string;
    readonly vetoed: number;
    readonly pairs: number;
    /** Some of the vetoed pairs. */
    readonly examples: readonly Pair[];
}

const EXAMPLES = 3;
/** Of a public set; the first ones. */
const MAX_PAIRS = 4_000;

/** Counts the pairs with the same meaning that a veto separates, of our own pairs and those that people judged. */
export function checkParaphrases(folder: string): readonly ParaphraseResult[] {
    return [
        { name: "written for this test", pairs: PARAPHRASES },
        ...readEqualPairs(folder, MAX_PAIRS),
    ].map(({ name, pairs }) => {
        const vetoed = pairs.filter(isVetoed);
        return {
            name,
            vetoed: vetoed.length,
            pairs: pairs.length,
            examples: vetoed.slice(0, EXAMPLES),
        };
    });
}

const rules = compileRules(DEFAULT_RULES);

export function isVetoed([a, b]: Pair): boolean {
    return findVeto(extractFacts(a, rules), extractFacts(b, rules)) !== undefined;
}
