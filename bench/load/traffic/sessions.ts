import { pick } from "../../semantic/random.ts";
import { seededRandom, type Random } from "../../shared/random.ts";
import {
    chatRequest,
    embedRequest,
    poisRequest,
    propertiesRequest,
    type Request,
    type ServiceName,
} from "./requests.ts";
import type { TextSource } from "./texts.ts";
import type { TraceEntry } from "./trace.ts";

export interface SessionOptions {
    readonly random: Random;
    readonly texts: TextSource;
    /** Ids of the listings of the property API. */
    readonly properties: readonly string[];
    readonly services: readonly ServiceName[];
    readonly id: string;
}

/** Share of viewed listings for which the user asks what is near. */
const POIS_SHARE = 0.6;
/** Share of sessions that use the chat. */
const CHAT_SHARE = 0.4;

/**
 * One visit to the property search: a list of listings, 1 to 6 of them viewed (each view embeds the description, to
 * show similar ones), points of interest near some, and perhaps one or two questions to the chat.
 */
export function createSession(options: SessionOptions): readonly Request[] {
    const { random, texts, properties, services, id } = options;
    const uses = (service: ServiceName) => services.includes(service);
    const requests: Request[] = [];
    if (uses("pois") || uses("chat")) requests.push(propertiesRequest());
    for (let viewed = 0; viewed === 0 || (viewed < 6 && random() < 0.55); viewed += 1) {
        if (uses("embed")) requests.push(embedRequest(texts.listing()));
        if (uses("pois") && random() < POIS_SHARE)
            requests.push(poisRequest(pick(random, properties), texts.query()));
    }
    if (uses("chat") && random() < CHAT_SHARE) {
        requests.push(chatRequest(id, texts.question()));
        if (random() < 0.4) requests.push(chatRequest(id, texts.question()));
    }
    return requests;
}

export interface UsersOptions extends Omit<SessionOptions, "id" | "random"> {
    readonly seed: number;
    readonly users: number;
    readonly seconds: number;
    /** Mean pause between two requests of a user; exponential, at most four times as long. */
    readonly thinkSeconds: number;
    /** Prefix of the session ids. */
    readonly run: string;
}

/**
 * Users who are all there at the same time, from the first pause to the end: a user who ends a session begins the next one.
 * A pause counts from the time at which the previous request was due, so a slow answer delays nothing of the schedule.
 */
export function* createUsers(options: UsersOptions): Generator<TraceEntry> {
    const { seed, users, seconds, thinkSeconds, run } = options;
    const random = seededRandom(seed);
    const pause = (): number => Math.min(4, -Math.log(1 - random())) * thinkSeconds * 1000;
    for (let user = 0; user < users; user += 1) {
        let at = random() * thinkSeconds * 1000;
        for (let session = 0; at < seconds * 1000; session += 1) {
            const id = `${run}-${user}-${session}`;
            const requests = createSession({ ...options, random, id });
            // At the start, users are anywhere in their sessions.
            const skipped = session === 0 ? Math.floor(random() * requests.length) : 0;
            for (const request of requests.slice(skipped)) {
                if (at >= seconds * 1000) break;
                yield { at: Math.round(at * 1000) / 1000, user, ...request };
                at += pause();
            }
        }
    }
}

/** A stage of arrivals at a rate. */
export interface Stage {
    readonly seconds: number;
    /** Requests per second. */
    readonly rate: number;
}

/**
 * Requests that arrive as a Poisson process at the rate of each stage, from random users.
 *
 * @param next creates the request
 */
export function* createArrivals(
    random: Random,
    stages: readonly Stage[],
    users: number,
    next: () => Request,
): Generator<TraceEntry> {
    let from = 0;
    for (const { seconds, rate } of stages) {
        const end = from + seconds * 1000;
        for (let at = from; ;) {
            at -= (Math.log(1 - random()) * 1000) / rate;
            if (at >= end) break;
            const user = Math.floor(random() * users);
            yield { at: Math.round(at * 1000) / 1000, user, ...next() };
        }
        from = end;
    }
}

/** Requests of a closed loop: each of the users sends its next one when it has the answer. */
export function* createClosed(
    count: number,
    users: number,
    next: () => Request,
): Generator<TraceEntry> {
    for (let number = 0; number < count; number += 1) yield { user: number % users, ...next() };
}

/** Draws a request of one of the services, in the shares of the sessions. */
export function drawRequest(options: SessionOptions): Request {
    const { random, texts, properties, services, id } = options;
    const service = pick(
        random,
        services.flatMap((one) => Array<ServiceName>(SHARES[one]).fill(one)),
    );
    if (service === "embed") return embedRequest(texts.listing());
    if (service === "chat") return chatRequest(id, texts.question());
    return poisRequest(pick(random, properties), texts.query());
}

const SHARES: Readonly<Record<ServiceName, number>> = { embed: 5, pois: 3, chat: 2 };
