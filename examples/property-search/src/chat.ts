import type { CatalogueVectors } from "./catalogue.ts";
import type { ChatModel } from "./chatModel.ts";
import {
    describeConstraints,
    fits,
    formatPounds,
    mergeConstraints,
    parseMessage,
    type Constraints,
} from "./constraints.ts";
import { AREAS } from "./data/areas.ts";
import type { Embed } from "./embeddings.ts";
import type { Metrics } from "./metrics.ts";
import { rankListings, type RankedListing } from "./ranking.ts";
import type { Sessions } from "./sessions.ts";

export interface ChatAnswer {
    readonly answer: string;
    /** Source of the words of the answer. */
    readonly answeredBy: "listings" | "chat";
    /** Why the chat API did not answer. Undefined: it did, or there is none. */
    readonly chatError?: string;
    readonly constraints: Constraints;
    readonly found: readonly RankedListing[];
    /** Of the embedding call. */
    readonly cache: string | undefined;
}

export interface ChatArgs {
    readonly embed: Embed;
    readonly sessions: Sessions;
    readonly metrics: Pick<Metrics, "onChatAnswer">;
    /** Undefined: answers are composed from the listings. */
    readonly model?: ChatModel | undefined;
}

/** Listings in an answer. */
const MAX_FOUND = 5;
/** Listings that a composed answer describes. */
const MAX_DESCRIBED = 3;
const AREA_NAMES = AREAS.map(({ name }) => name);

/**
 * Answers messages of sessions: listings by the constraints of the session so far, ranked by the meaning of the message.
 * A message of constraints only, such as "and under 600k?", is ranked by the last one that describes a home.
 */
export function createChat({ embed, sessions, metrics, model }: ChatArgs) {
    return async (
        vectors: CatalogueVectors,
        { message, sessionId }: { readonly message: string; readonly sessionId: string },
    ): Promise<ChatAnswer> => {
        const { startsOver, constraints: parsed, topic } = parseMessage(message, AREA_NAMES);
        const known = startsOver ? undefined : sessions.get(sessionId);
        const constraints = mergeConstraints(known?.constraints ?? {}, parsed);
        const question = [topic, known?.topic, message].find((text) => text) ?? message;
        const { vectors: embedded, cache } = await embed("chat", [question]);
        const matching = vectors.listings.filter(({ item }) => fits(item, constraints));
        const [vector] = embedded;
        const found = vector ? rankListings(matching, vector).slice(0, MAX_FOUND) : [];
        const turns = known?.turns ?? [];
        const composed = composeAnswer(found, matching.length, constraints, (without) =>
            vectors.listings.reduce((sum, { item }) => sum + Number(fits(item, without)), 0),
        );
        const answered = await answerBy(composed, {
            ...{ message, turns },
            constraints: describeConstraints(constraints),
            listings: found.map(({ listing }) => listing),
        });
        // Another message of the session may have been answered meanwhile.
        const latest = startsOver ? undefined : sessions.get(sessionId);
        sessions.set(sessionId, {
            constraints: mergeConstraints(latest?.constraints ?? {}, parsed),
            topic: topic || (latest?.topic ?? ""),
            turns: [...(latest?.turns ?? []), { message, answer: answered.answer }],
        });
        return { ...answered, constraints, found, cache };
    };

    async function answerBy(
        composed: string,
        prompt: Parameters<ChatModel>[0],
    ): Promise<Pick<ChatAnswer, "answer" | "answeredBy" | "chatError">> {
        if (!model) {
            metrics.onChatAnswer("listings");
            return { answer: composed, answeredBy: "listings" };
        }
        try {
            const answer = await model(prompt);
            metrics.onChatAnswer("chat");
            return { answer, answeredBy: "chat" };
        } catch (error) {
            metrics.onChatAnswer("fallback");
            const reason = error instanceof Error ? error.message : String(error);
            return {
                answer: composed,
                answeredBy: "listings",
                chatError: `The chat API failed: ${reason.slice(0, 200)}`,
            };
        }
    }
}

/**
 * An answer of the facts of the listings alone.
 *
 * @param matching number of listings that fit the constraints
 * @param count number of listings that fit other constraints
 */
export function composeAnswer(
    found: readonly RankedListing[],
    matching: number,
    constraints: Constraints,
    count: (constraints: Constraints) => number,
): string {
    const words = describeConstraints(constraints);
    if (matching === 0) return `No listing matches: ${words}.${suggestions(constraints, count)}`;
    const all = words === "" ? `${matching} listings` : `${matching} listings (${words})`;
    const shown = found.slice(0, MAX_DESCRIBED);
    const begin =
        matching === 1
            ? `One listing matches (${words}).`
            : `The ${shown.length} closest of ${all}:`;
    const sentences = shown.map(({ listing }, index) => {
        const { id, title, pricePounds, floorAreaSquareMetres, features } = listing;
        const facts = `${formatPounds(pricePounds)}, ${floorAreaSquareMetres} m², with ${features.join(", ")}`;
        return `${index + 1}. ${title} (${id}): ${facts}.`;
    });
    return [begin, ...sentences].join(" ");
}

const KINDS_OF_CONSTRAINTS = {
    price: ["minPricePounds", "maxPricePounds"],
    bedrooms: ["bedrooms", "minBedrooms"],
    area: ["areas", "excludedAreas"],
} as const;

/** What each kind of constraint keeps out. */
function suggestions(constraints: Constraints, count: (others: Constraints) => number): string {
    return Object.entries(KINDS_OF_CONSTRAINTS)
        .flatMap(([kind, keys]) => {
            if (keys.every((key) => constraints[key] === undefined)) return [];
            const entries = Object.entries(constraints).filter(
                ([key]) => !keys.some((one) => one === key),
            );
            const without = count(Object.fromEntries(entries));
            const verb = without === 1 ? "does" : "do";
            return without > 0 ? [` Without the limit of ${kind}, ${without} ${verb}.`] : [];
        })
        .join("");
}
