import { ADMIN_PATHS, CACHE_STATUSES, PATHS, type CacheStatus } from "@property-search/contract";

import { adminOf, ADMIN_TOKEN } from "./admin.ts";
import { startService, stubEnvironment, type Answer, type Service } from "./service.ts";
import { startStubUpstream, type StubUpstream } from "./stubUpstream.ts";
import { trueVector } from "./vectors.ts";

export const ACTIVE = { VERSION: "v1.0.0", COLOUR: "blue" } as const;
/** Another version with supposedly the same model: it has the keys of the active colour. */
export const CANDIDATE = { VERSION: "v2.0.0", COLOUR: "green" } as const;

/** Two models with one name: the true one, and one that returns the vectors of other texts. */
export interface Models {
    readonly honest: StubUpstream;
    readonly lying: StubUpstream;
    readonly stop: () => Promise<unknown>;
}

export async function startModels(): Promise<Models> {
    const lie = (text: string, dimensions?: number) => trueVector(`not ${text}`, dimensions);
    const honest = await startStubUpstream();
    const lying = await startStubUpstream({ vectorOf: lie });
    return { honest, lying, stop: () => Promise.all([honest.stop(), lying.stop()]) };
}

/** Otherwise each address would be its own revision. */
const MODEL_OF_ALL = { EMBEDDING_REVISION: "1" };

type Build = typeof ACTIVE | typeof CANDIDATE;

export function startBuild(
    build: Build,
    { url }: StubUpstream,
    redis: Readonly<Record<string, string>>,
): Promise<Service> {
    const model = { ...stubEnvironment(url), ...MODEL_OF_ALL };
    return startService({ ...model, ...redis, ...build, ADMIN_TOKEN });
}

export interface QuarantineRecord {
    readonly buildId: string;
    readonly state: string;
    readonly release: string;
    readonly since: string;
    readonly rejected: readonly object[];
    readonly expiresAt: string;
}

export interface Builds {
    readonly own: { readonly buildId: string };
    readonly upToDate: boolean;
    readonly records: readonly QuarantineRecord[];
}

export async function buildsAt(pod: Service): Promise<Builds> {
    return (await adminOf(pod)("GET", ADMIN_PATHS.builds)).json as Builds;
}

export const JUDGEMENT = { actor: "ann", reason: "a release" };

/** Quarantines a build, through any pod. */
export async function begin(at: Service, build: Service, release = "one"): Promise<Answer> {
    const { buildId } = (await buildsAt(build)).own;
    return adminOf(at)("PUT", ADMIN_PATHS.quarantine(buildId), { ...JUDGEMENT, release });
}

export async function promote(at: Service, build: Service, release = "one"): Promise<Answer> {
    const { buildId } = (await buildsAt(build)).own;
    return adminOf(at)("PUT", ADMIN_PATHS.promotion(buildId), { ...JUDGEMENT, release });
}

export interface Seen {
    /** Items whose vector is not the true one. */
    readonly lies: number;
    readonly statuses: Readonly<Record<CacheStatus, number>>;
}

const BATCH = 256;

/** Requests texts in batches, and checks every vector. */
export async function ask(pod: Service, texts: readonly string[]): Promise<Seen> {
    let lies = 0;
    const counts = Object.fromEntries(CACHE_STATUSES.map((status) => [status, 0]));
    for (let at = 0; at < texts.length; at += BATCH) {
        const batch = texts.slice(at, at + BATCH);
        const { status, json, text } = await pod.post(PATHS.embed, { texts: batch });
        if (status !== 200) throw new Error(`${status} ${text}`);
        const { embeddings, cache } = json as { embeddings: number[][]; cache: CacheStatus[] };
        for (const one of cache) counts[one] = (counts[one] ?? 0) + 1;
        lies += batch.filter((one, index) => !isTrue(one, embeddings[index] ?? [])).length;
    }
    return { lies, statuses: counts as Seen["statuses"] };
}

function isTrue(text: string, given: readonly number[]): boolean {
    return trueVector(text).every((number, at) => number === Math.fround(given[at] ?? NaN));
}

export const texts = (count: number, name = "listing"): readonly string[] =>
    Array.from({ length: count }, (_, n) => `${name} ${n}`);
