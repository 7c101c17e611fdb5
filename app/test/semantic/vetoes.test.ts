import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { compileRules } from "../../src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../src/semantic/defaultRules.ts";
import { extractFacts, findVeto, MAX_CHARACTERS, sharedWords } from "../../src/semantic/vetoes.ts";

const rules = compileRules(DEFAULT_RULES);
const facts = (text: string) => extractFacts(text, rules);

test.each([
    ["2 bed flat to rent in Hackney", "3 bed flat to rent in Hackney", "numbers"],
    ["two bedroom flat in Hackney", "three bedroom flat in Hackney", "numbers"],
    ["flats under £2k a month", "flats under £2 a month", "numbers"],
    ["homes at 3.5% interest", "homes at 35% interest", "numbers"],
    ["rent is due on 2026-11-01", "rent is due on 2026-01-11", "numbers"],
    ["a table for 2 adults 3 children", "a table for 3 adults 2 children", "numbers"],
    ["2 adults 3 children", "2 children 3 adults", "numbers"],
    ["1 bed 1 bath flat", "1 bed flat", "numbers"],
    ["flats for 2 to 3 people", "flats for 2 people", "numbers"],
    ["flats at £450k-£500k", "flats at £400k-£500k", "numbers"],
    ["a budget of £400", "a budget of $400", "numbers"],
    ["send it to account 1111222233334444", "send it to account 1111222233334445", "numbers"],
    ["gyms near the A40", "gyms near the A41", "numbers"],
    ["schools in clapham sw4", "schools in clapham sw11", "numbers"],
    ["flats at £400 per week", "flats at £400 pcm", "opposites"],
    ["can I have pets", "can I not have pets", "negation"],
    ["flats with a lift", "flats without a lift", "negation"],
    ["the agent replied", "the agent didn’t reply", "negation"],
    ["flat to rent in Soho", "flat for sale in Soho", "opposites"],
    ["turn on the heating", "turn off the heating", "opposites"],
    ["furnished flat", "unfurnished flat", "opposites"],
    ['what is a "share of freehold"', 'what is a "flying freehold"', "quotes"],
    ["is C++ hard", "is C# hard", "code"],
    ["is C hard", "is C++ hard", "code"],
    ["how do I call getPrice", "how do I call setPrice", "code"],
    ["what is a.length()", "what is a.size()", "code"],
    ["公寓 Soho", "房子 Soho", "script"],
    ["flat in Soho", "fl\u0430t in Soho", "script"],
    ["flat in Soho", "flat\u200b in Soho", "script"],
    ["schools near Clapham", "schools near Brixton", "places"],
    ["schools in clapham", "schools", "places"],
    ["who is Ada Lovelace", "who is Grace Hopper", "names"],
    ["who is Betty White", "who is Betty Cross", "names"],
    ["the owner pays the agency", "the agency pays the owner", "order"],
])("%j is not answered from %j: %s", (a, b, veto) => {
    expect(findVeto(facts(a), facts(b))).toBe(veto);
    expect(findVeto(facts(b), facts(a))).toBe(veto);
});

test.each([
    ["2 bed flat to rent in Hackney", "two bedroom apartment to let in hackney"],
    ["is there a gym near Putney?", "gym close to putney"],
    ["who is Ada Lovelace", "tell me about ada lovelace"],
    ["2 adults 3 children", "three children and two adults"],
    ["houses under £450k", "houses under 450,000"],
    ["houses under £1.25m", "houses under £1,250,000"],
    ["flats at £450k to £500k", "flats between 450,000 and 500,000"],
    ["a loan at 4.5%", "a loan at 4.50 percent"],
    ["a gym in hackney e8", "gym in Hackney"],
    ["parks in King’s Cross", "parks in kings x"],
    ["houses in brxiton sw2", "houses in Brixton"],
    ["nearest tube to Soho", "closest underground station to Soho"],
    ["I can't find my card", "I cannot find my card"],
])("%j may be answered from %j", (a, b) => {
    expect(findVeto(facts(a), facts(b))).toBeUndefined();
});

const SEPARATED: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    "forms of digits and letters": [
        ["２ bed flat", "３ bed flat"],
        ["٢ rooms", "٣ rooms"],
        ["½ acre", "¼ acre"],
        ["2½ acres", "2¼ acres"],
        ["room Ⅳ", "room Ⅵ"],
        ["room iv", "room vi"],
        ["step ② of it", "step ③ of it"],
        ["area in m²", "area in m³"],
        ["house in 𝐚𝐜𝐭𝐨𝐧", "house in 𝐛𝐚𝐥𝐡𝐚𝐦"],
    ],
    "characters that the local model does not tell apart": [
        ["a → b", "a ← b"],
        ["a ⊂ b", "a ⊃ b"],
        [`${"x".repeat(101)} help`, `${"y".repeat(101)} help`],
        ["año nuevo", "ano nuevo"],
        ["tìm nhà má", "tìm nhà mạ"],
    ],
    "numbers in words": [
        ["flat for twenty people", "flat for thirty people"],
        ["loan of two hundred", "loan of two thousand"],
        ["loan of 2 hundred", "loan of 2"],
        ["room on the first floor", "room on the second floor"],
        ["my twenty-first question", "my twenty-second question"],
    ],
    "clock times, days and months": [
        ["open at 7am", "open at 7pm"],
        ["open until 7", "open until 19:00"],
        ["open on monday", "open on tuesday"],
        ["open 7 am to 7 pm", "open 7 pm to 7 am"],
        ["due on 1 May", "due on 1 June"],
        ["moving in May", "moving in march"],
    ],
    signs: [["temperature -5 degrees", "temperature 5 degrees"]],
    comparisons: [
        ["at least 2 rooms", "at most 2 rooms"],
        ["more than two rooms", "no more than two rooms"],
        ["max price 500 pounds", "min price 500 pounds"],
        ["rent under £500", "rent over £500"],
        ["rooms > 3", "rooms < 3"],
        ["rent <500", "rent >500"],
        ["rent<£500", "rent>£500"],
        ["rooms ≥ 3", "rooms ≤ 3"],
        ["2 rooms or more", "2 rooms or fewer"],
        ["2+ rooms", "up to 2 rooms"],
        ["2 rooms minimum", "2 rooms max"],
    ],
    currencies: [
        ["¥500 rent", "₹500 rent"],
        ["500 usd", "500 gbp"],
        ["pay in euros", "pay in dollars"],
        ["£500 rent", "500 euros rent"],
        ["a fee of $5", "a fee of 5 cents"],
    ],
    "units of one number": [
        ["flat with 2 bedrooms", "flat with 2 bathrooms"],
        ["2 miles from a park", "2 km from a park"],
        ["pay in 10 days", "pay in 10 weeks"],
        ["flat for 2 cats", "flat for 2 cars"],
        ["10 square feet", "10 square metres"],
        ["room 5a", "room 5b"],
        ["a parcel of 5kg", "a parcel of 5 lb"],
    ],
    negation: [
        ["flat with no parking and no garden", "flat with parking and garden"],
        ["flat with no parking and a garden", "flat with parking and no garden"],
        ["flat without parking", "flat with parking and no garden"],
        ["you cannot pay", "you cannot not pay"],
        ["neither pets nor kids", "pets and kids"],
        ["smoking room", "non-smoking room"],
        ["smoking room", "nonsmoking room"],
        ["pet-free building", "pet building"],
        ["flat lacking parking", "flat with parking"],
        ["pets allowed", "pets disallowed"],
        ["pets allowed", "pets forbidden"],
        ["I havent paid", "I have paid"],
        ["you shouldnt pay", "you should pay"],
        ["hotel with pets", "hotel w/o pets"],
        ["the door is unlocked", "the door is locked"],
        ["haus ohne garten", "haus mit garten"],
    ],
    "quotes, letters and directions": [
        ["«foo» search", "«bar» search"],
        ["„foo“ search", "„bar“ search"],
        ["learn C programming", "learn R programming"],
        ["vitamin c tablets", "vitamin d tablets"],
        ["i++ in java", "i-- in java"],
        ["trains from Paris to London", "trains from London to Paris"],
        ["trains Paris to London", "trains London to Paris"],
        ["flat in acton", "flat in balham"],
        ["train Paris → London", "train London → Paris"],
        ["train from: Paris, to: London", "train from: London, to: Paris"],
        ["Paris-London train", "London-Paris train"],
        ["next week", "last week"],
        ["the landlord owes the tenant", "the tenant owes the landlord"],
    ],
};

const MORE_SEPARATED: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    "places that no list contains": [
        ["margate flats to rent", "whitby flats to rent"],
        ["Penzance 3 bed houses", "Falmouth 3 bed houses"],
        ["2 bed flat to rent bolton", "2 bed flat to rent wigan"],
        ["studio wigan", "studio bolton"],
    ],
    "areas of London": [
        ["Acton flats", "Balham flats"],
        ["flats kensal rise", "flats kensal green"],
        ["tooting parks", "streatham parks"],
    ],
    "the direction of time": [
        ["listed 5 days ago", "listed in 5 days"],
        ["homes added in the last 2 weeks", "homes free in the next 2 weeks"],
        ["rents a year ago", "rents a year from now"],
        ["rents a few years ago", "rents in a few years"],
        ["open until 6pm", "open since 6pm"],
    ],
    "exchanged roles": [
        ["rent from owner to agency", "rent from agency to owner"],
        ["the owner pays the agency", "the agency pays the owner"],
        ["does the estate agent owe the owner", "does the owner owe the estate agent"],
        ["schools near stations", "stations near schools"],
        ["convert pounds into euros", "convert euros into pounds"],
    ],
    "comparisons without a number": [["price > budget", "price < budget"]],
    "one and first of something": [
        ["one bedroom flat", "two bedroom flat"],
        ["a flat for one", "a flat for two"],
        ["on the first", "on the second"],
    ],
};

describe.each(Object.entries({ ...SEPARATED, ...MORE_SEPARATED }))("%s", (_, pairs) => {
    test.each(pairs)("separate %j from %j", (a, b) => {
        expect(findVeto(facts(a), facts(b))).toBeDefined();
        expect(findVeto(facts(b), facts(a))).toBeDefined();
        expect(findVeto(facts(a), facts(a))).toBeUndefined();
    });
});

test.each([
    ["flat for twenty people", "flat for 20 people"],
    ["2 bedrooms", "2 bedrooom"],
    ["10 minutes from a park", "10 mins from a park"],
    ["on the first floor", "on the 1st floor"],
    ["open until 7pm", "open until 19:00"],
    ["open on monday", "open mondays"],
    ["flats under £500", "flats for max £500"],
    ["flats up to 500 pounds", "flats below £500"],
    ["two or more rooms", "at least 2 rooms"],
    ["£500 rent", "rent of 500 pounds"],
    ["flat without parking", "flat with no parking"],
    ["I haven’t received my card", "my card has not arrived"],
    ["the card isn’t working", "the card does not work"],
    ["a “foo” search", "a «foo» search"],
    ["café near a park", "park with a café"],
    ["how far is the pool from Putney", "nearest pool to Putney"],
    ["trains from Paris to London", "trains to London from Paris"],
    ["flat in margate", "margate flat"],
    ["2 bed flat margate", "margate 2 bed flat"],
    ["cheap flats", "affordable flats"],
    ["my phone was stolen, what should I do first?", "my phone was stolen, what should I do"],
    ["how old does one need to be", "how old do you need to be"],
    ["how do I link a card to an existing one?", "how do I link a card to my other card"],
    ["a payment that I've made", "the payment I made"],
    ["why isn't my top up working", "my top up isn't working"],
    ['what is a "share of freehold"', "what is a share of freehold"],
    ["modern flats in Soho", "new flats in soho"],
    ["listed 5 days ago", "added 5 days ago"],
    ["added in the last 2 weeks", "added in the past 2 weeks"],
    ["rent flat hackney", "hackney flat rent"],
    ["garden and parking", "parking and garden"],
    ["flat with garden near park", "flat near park with garden"],
    ["flats in Mile End", "mile end flats"],
])("%j is not separated from %j", (a, b) => {
    expect(findVeto(facts(a), facts(b))).toBeUndefined();
});

test("the rest of a text that is too long must be equal", () => {
    const long = "word ".repeat(MAX_CHARACTERS / 4);
    expect(findVeto(facts(`${long} one`), facts(`${long} two`))).toBe("script");
    expect(findVeto(facts(`${long} one`), facts(`${long} one`))).toBeUndefined();
});

test("the work grows with the length of a text, not with its square, and not with the number of rules", () => {
    const manyPlaces = Array.from({ length: 5_000 }, (_, at) => `place ${at.toString(26)}`);
    const manyRules = compileRules({ ...DEFAULT_RULES, places: manyPlaces });
    const units = fc.constantFrom(
        ...[
            "a",
            "_",
            "1",
            "1,",
            "1 to ",
            "'",
            '"',
            "“",
            "‘",
            "`",
            "/",
            "\\",
            "aB",
            "(",
            ".",
            " ",
            "=",
        ],
        ...[
            "½",
            "é",
            "公",
            "@",
            "-",
            "+",
            "£",
            "max ",
            "no ",
            "in ",
            "to ",
            "between ",
            "place ",
            "x y ",
        ],
    );
    const short = 128;
    fc.assert(
        fc.property(fc.array(units, { minLength: 1, maxLength: 2 }), (parts) => {
            const unit = parts.join("");
            const textOf = (length: number): string =>
                unit.repeat(length / unit.length + 1).slice(0, length);
            const [small, large] = [textOf(short), textOf(MAX_CHARACTERS)];
            const once = leastCpu(() => facts(small));
            // Eight times the length; with quadratic expressions it was 42 times the work.
            expect(leastCpu(() => facts(large)) / once).toBeLessThan(25);
            expect(leastCpu(() => extractFacts(small, manyRules)) / once).toBeLessThan(25);
        }),
        { ...propertyRuns(), numRuns: 25 },
    );
});

/** @returns the least CPU time of several tries, of at least a few microseconds */
function leastCpu(run: () => unknown): number {
    const tries = Array.from({ length: 6 }, () => {
        const before = process.cpuUsage();
        for (let time = 0; time < 8; time += 1) run();
        const { user, system } = process.cpuUsage(before);
        return user + system;
    });
    return Math.max(50, Math.min(...tries));
}

test("shared words count synonyms as one word", () => {
    expect(sharedWords(facts("flat in soho"), facts("apartment in soho"))).toBe(1);
    expect(sharedWords(facts("flat in soho"), facts("gym near putney"))).toBe(0);
});
