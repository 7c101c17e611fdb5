import { seededRandom } from "../shared/random.ts";
import type { Objective } from "./objectives.ts";
import {
    chatRequest,
    embedRequest,
    poisRequest,
    SERVICES,
    type ServiceName,
} from "./traffic/requests.ts";
import { createArrivals, createClosed, createUsers, drawRequest } from "./traffic/sessions.ts";
import { createSource, type Corpus, type CorpusSizes, type TextSource } from "./traffic/texts.ts";
import type { TraceEntry } from "./traffic/trace.ts";

/** Settings of a run; flags replace a scenario's defaults. A default of 0 minutes, requests or seconds: it is not used. */
export interface LoadSettings {
    readonly seed: number;
    readonly minutes: number;
    readonly users: number;
    /** Requests per second of all users. */
    readonly rate: number;
    readonly thinkSeconds: number;
    /** Share (0–1) of texts that nobody has requested before. */
    readonly newShare: number;
    readonly services: readonly ServiceName[];
}

export interface Workload {
    readonly settings: LoadSettings;
    readonly corpus: Corpus;
    /** Ids of the listings of the property API; empty if no service needs it. */
    readonly properties: readonly string[];
    /** Differs for each run, so that its new texts do. */
    readonly run: string;
}

/** A part of a scenario: a trace and its goals. */
export interface Phase {
    readonly name: string;
    /** A sentence for the report. */
    readonly workload: string;
    readonly users: number;
    readonly trace: () => Iterable<TraceEntry>;
    readonly objectives: readonly Objective[];
}

export interface Scenario {
    readonly description: string;
    readonly defaults: Omit<LoadSettings, "seed" | "services">;
    /** Popular texts, which are requested once before the measurement if `isWarm`. */
    readonly corpus: CorpusSizes;
    readonly isWarm: boolean;
    readonly phases: (workload: Workload) => readonly Phase[];
    /** Whether the phases are steps that end at the first one whose goals do not hold. */
    readonly findsKnee?: true;
}

/** A cached answer must be faster than this. */
export const CACHED_MILLISECONDS = 50;
const NO_ERRORS: Objective = { measure: "errorShare", max: 0 };
/** Fewer than the 2,000 entries of a pod's local cache by default. */
const POPULAR = { listings: 600, queries: 84, questions: 600 } as const;

const cachedLatency = (services: readonly ServiceName[]): Objective[] =>
    services.map((route) => ({
        measure: "p99",
        route,
        cached: true,
        max: CACHED_MILLISECONDS,
    }));

const hits = (...sources: readonly ("x-cache" | "prometheus")[]): Objective[] =>
    sources.map((from) => ({ measure: "hitRate", from, min: 0.8 }));

export const SCENARIOS = {
    s2: {
        description:
            "1,000 requests to /embed, 10 at a time, then as a Poisson process; 100 searches for points of interest; 50 chats",
        defaults: { minutes: 0, users: 10, rate: 100, thinkSeconds: 0, newShare: 0 },
        corpus: { listings: 100, queries: 20, questions: 20 },
        isWarm: false,
        phases: createS2,
    },
    users: {
        description: "more than 1,000 users at the same time over all services",
        defaults: { minutes: 10, users: 1100, rate: 0, thinkSeconds: 5, newShare: 0.002 },
        corpus: POPULAR,
        isWarm: true,
        phases: (workload) => [
            createUsersPhase(workload, [
                { measure: "users", min: 1001 },
                NO_ERRORS,
                ...cachedLatency(workload.settings.services),
                ...hits("x-cache", "prometheus"),
            ]),
        ],
    },
    soak: {
        description: "users for an hour: errors, and whether the latency grows",
        defaults: { minutes: 60, users: 200, rate: 0, thinkSeconds: 5, newShare: 0.01 },
        corpus: POPULAR,
        isWarm: true,
        phases: (workload) => [
            createUsersPhase(workload, [
                NO_ERRORS,
                ...cachedLatency(workload.settings.services),
                { measure: "drift", max: 1.5 },
                ...hits("x-cache"),
            ]),
        ],
    },
    spike: {
        description: "a rate that rises eightfold for a third of the time, and falls again",
        defaults: { minutes: 2, users: 500, rate: 40, thinkSeconds: 0, newShare: 0.002 },
        corpus: POPULAR,
        isWarm: true,
        phases: createSpike,
    },
    stress: {
        description: "rates that grow by a quarter until a goal does not hold: the knee",
        defaults: { minutes: 10, users: 1000, rate: 100, thinkSeconds: 0, newShare: 0 },
        corpus: POPULAR,
        isWarm: true,
        phases: createSteps,
        findsKnee: true,
    },
} as const satisfies Readonly<Record<string, Scenario>>;

/** Goal of `stress`: the rate of 1,100 users with pauses of 5 s. */
export const KNEE: Objective = { measure: "knee", min: 220 };

/** Goals of a recorded trace, whose routes are not known. */
export const RECORDED_OBJECTIVES: readonly Objective[] = [NO_ERRORS];

function sourceOf(
    { settings, corpus, run }: Workload,
    newShare = settings.newShare,
): TextSource & { readonly random: () => number } {
    const random = seededRandom(settings.seed);
    return { ...createSource(corpus, { random, newShare, run }), random };
}

function createS2(workload: Workload): Phase[] {
    const { settings, properties, run } = workload;
    const { users, rate, services } = settings;
    const { random, ...texts } = sourceOf(workload);
    const property = () => properties[Math.floor(random() * properties.length)] ?? "";
    let session = 0;
    const chat = () => chatRequest(`${run}-${(session += 1)}`, texts.question());
    const embed = () => embedRequest(texts.listing());
    const limits = (route: string, milliseconds: number): Objective[] => [
        NO_ERRORS,
        { measure: "p95", route, max: milliseconds },
    ];
    const phases: (Phase & { readonly service: ServiceName })[] = [
        {
            service: "embed",
            name: "embed, closed loop",
            workload: `1,000 requests to /embed by ${users} at a time, 100 texts by Zipf's law`,
            users,
            trace: () => createClosed(1000, users, embed),
            objectives: [...limits("embed", 500), ...hits("x-cache")],
        },
        {
            service: "embed",
            name: "embed, open loop",
            workload: `about 1,000 requests to /embed as a Poisson process of ${rate}/s from ${users} users`,
            users,
            trace: () => createArrivals(random, [{ seconds: 1000 / rate, rate }], users, embed),
            objectives: [...limits("embed", 500), ...cachedLatency(["embed"])],
        },
        {
            service: "pois",
            name: "pois",
            workload: `100 searches for points of interest by ${users} at a time, 20 queries by Zipf's law`,
            users,
            trace: () => createClosed(100, users, () => poisRequest(property(), texts.query())),
            objectives: limits("pois", 500),
        },
        {
            service: "chat",
            name: "chat",
            workload: `50 chats by ${Math.min(users, 5)} at a time, 20 questions by Zipf's law`,
            users: Math.min(users, 5),
            trace: () => createClosed(50, Math.min(users, 5), chat),
            objectives: limits("chat", 500),
        },
    ];
    return phases.filter(({ service }) => services.includes(service));
}

function createUsersPhase(workload: Workload, objectives: readonly Objective[]): Phase {
    const { settings, properties, run } = workload;
    const { users, minutes, thinkSeconds, services, newShare, seed } = settings;
    return {
        name: "users",
        workload:
            `${users} users for ${minutes} min, pauses of ${thinkSeconds} s on average, over ${services.join(", ")}; ` +
            `texts by Zipf's law, ${newShare * 100} % of them new`,
        users,
        trace: () =>
            createUsers({
                ...{ seed, users, thinkSeconds, services, properties, run },
                texts: sourceOf(workload),
                seconds: minutes * 60,
            }),
        objectives,
    };
}

function createSpike(workload: Workload): Phase[] {
    const { settings } = workload;
    const { users, minutes, rate, services } = settings;
    const seconds = minutes * 20;
    const stages = [rate, rate * 8, rate].map((one) => ({ seconds, rate: one }));
    return [
        {
            name: "spike",
            workload: `a Poisson process of ${rate}/s, for ${seconds} s of ${rate * 8}/s, and of ${rate}/s again`,
            users,
            trace: () => createDrawn(workload, stages),
            objectives: [
                NO_ERRORS,
                ...services.map((route) => ({ measure: "p95", route, max: 500 }) as const),
            ],
        },
    ];
}

const STEP_SECONDS = 20;
const STEP_FACTOR = 1.25;

function createSteps(workload: Workload): Phase[] {
    const { users, minutes, rate, services } = workload.settings;
    const count = Math.max(1, Math.floor((minutes * 60) / STEP_SECONDS));
    return Array.from({ length: count }, (_, step) => {
        const wanted = Math.round(rate * STEP_FACTOR ** step);
        return {
            name: `${wanted}/s`,
            workload: `a Poisson process of ${wanted}/s for ${STEP_SECONDS} s from ${users} users`,
            users,
            trace: () => createDrawn(workload, [{ seconds: STEP_SECONDS, rate: wanted }]),
            objectives: [NO_ERRORS, ...cachedLatency(services)],
        };
    });
}

function createDrawn(
    workload: Workload,
    stages: readonly { readonly seconds: number; readonly rate: number }[],
): Iterable<TraceEntry> {
    const { settings, properties, run } = workload;
    const { random, ...texts } = sourceOf(workload);
    let count = 0;
    return createArrivals(random, stages, settings.users, () =>
        drawRequest({
            ...{ random, texts, properties, services: settings.services },
            id: `${run}-${(count += 1)}`,
        }),
    );
}

/** Requests each popular text once, a few at a time: an empty cache would send all to the upstream at once. */
export function createWarmup({ corpus, properties, settings, run }: Workload): TraceEntry[] {
    const [property = ""] = properties;
    const requests = SERVICES.filter((service) => settings.services.includes(service)).flatMap(
        (service) => {
            if (service === "embed") return corpus.listings.map(embedRequest);
            if (service === "pois")
                return corpus.queries.map((text) => poisRequest(property, text));
            return corpus.questions.map((text, at) => chatRequest(`${run}-warm-${at}`, text));
        },
    );
    return requests.map((request, at) => ({ user: at % 4, ...request }));
}
