import { HEADERS, isColour, PATHS, type Colour, type Weights } from "@property-search/contract";
import {
    assertKeyAccepted,
    dot,
    embed,
    KeyRejected,
    type EmbedResponse,
    type GatewayClient,
} from "../../gateway/client.ts";
import { runSamples, checkShares } from "../../gateway/shares.ts";
import { randomUUID } from "node:crypto";
import type { DataPlane, ShareMeasurement } from "./dataPlane.ts";

const CONCURRENCY = 32;
const TIMEOUT_MILLISECONDS = 10_000;
/**
 * Minimum cosine of two vectors of one text by one model: 1 for the same weights, slightly less for an API with varying
 * results, and below 0.9 for a different or broken model.
 */
const MIN_COSINE = 0.995;

/** Texts of different lengths, since a candidate may fail on long ones only. */
const SUBJECTS = [
    "flat with a balcony",
    "Two-bedroom terrace close to the station, with a small garden and a shed for bicycles",
    "How long does the sale of a house take, and what do I need to bring to the notary?",
    "Loft in a former mill: " + "high ceilings, brick walls and large windows; ".repeat(12),
];

type Transport = Pick<GatewayClient, "url" | "send">;

/** Transport to the gateway, and the API key of its requests. */
export interface GatewayAccess extends Transport {
    /**
     * Reads the API key.
     *
     * @param isRejected whether the service has rejected the key that was read before
     */
    readonly readApiKey: (isRejected: boolean) => Promise<string | undefined>;
    readonly report: (line: string) => void;
}

export function gatewayDataPlane(access: GatewayAccess): DataPlane {
    const withKey = createKeyedAccess(access);
    const at: Embed = (texts, colour) => withKey((client) => embed(client, texts, colour));
    return {
        keyProblem: (colour) =>
            withKey((client) => assertKeyAccepted(client, colour)).then(
                () => undefined,
                (error: unknown) => {
                    if (error instanceof KeyRejected) return error.message;
                    throw error;
                },
            ),
        shares: (weights, samples, signal) => measure(access, weights, samples, signal),
        smoke: (colour, version) => smoke(at, colour, version),
        compare: async (candidate, active) => {
            const models = [await readModel(access, candidate), await readModel(access, active)];
            return models[0] === models[1] ? compare(at, candidate, active) : [];
        },
    };
}

type Embed = (texts: readonly string[], colour: Colour) => Promise<EmbedResponse>;

/** Requests with an API key, which is read again once it is rejected: a rotation may end during a switch. */
function createKeyedAccess({ readApiKey, report, ...client }: GatewayAccess) {
    let known: { readonly apiKey: string | undefined } | undefined;
    return async <T>(act: (client: GatewayClient) => Promise<T>): Promise<T> => {
        const { apiKey } = (known ??= { apiKey: await readApiKey(false) });
        try {
            return await act({ ...client, apiKey });
        } catch (error) {
            if (!(error instanceof KeyRejected)) throw error;
            const next = await readApiKey(true);
            if (next === undefined || next === apiKey) throw error;
            const result = await act({ ...client, apiKey: next });
            report("the API key was rejected; the stack's current one is accepted");
            known = { apiKey: next };
            return result;
        }
    };
}

/** Measures shares with a cheap path of the same route rule. */
async function measure(
    client: Transport,
    weights: Weights,
    samples: number,
    signal?: AbortSignal,
): Promise<ShareMeasurement> {
    const shares = { blue: 0, green: 0 };
    const failures: string[] = [];
    await runSamples({ samples, concurrency: CONCURRENCY, signal }, async () => {
        const by = await readServedBy(client);
        if (isColour(by)) shares[by] += 1;
        else failures.push(by);
    });
    const { matches, text } = checkShares(shares, weights);
    const [failure] = failures;
    if (failure === undefined) return { matches, text };
    return { matches: false, text: `${text}; ${failures.length} failed, such as ${failure}` };
}

/** @returns the colour, or a description of the failure */
async function readServedBy({ url, send = fetch }: Transport): Promise<string> {
    try {
        const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
        const response = await send(`${url}${PATHS.health}`, { signal });
        await response.arrayBuffer();
        return response.headers.get(HEADERS.servedBy) ?? `status ${response.status}`;
    } catch (error) {
        const cause = error instanceof Error ? (error.cause ?? error) : error;
        return String(cause);
    }
}

async function smoke(at: Embed, colour: Colour, version: string): Promise<readonly string[]> {
    const problems: string[] = [];
    const texts = freshTexts();
    // Each text alone and all as a batch, since a batch takes another path through the service.
    for (const inputs of [...texts.map((text) => [text]), texts]) {
        const answer = await at(inputs, colour).catch((error: unknown) => String(error));
        if (typeof answer === "string") problems.push(answer);
        else if (answer.servedBy !== colour) {
            problems.push(`requested ${colour} by header, ${answer.servedBy} answered`);
        } else if (answer.version !== version) {
            problems.push(
                `${colour} responds with version ${answer.version}, its Deployment has ${version}`,
            );
        }
    }
    return problems;
}

/**
 * The candidate embeds first: while its cache entries are quarantined, the active colour does not use them and computes
 * its own.
 */
async function compare(at: Embed, candidate: Colour, active: Colour): Promise<readonly string[]> {
    const texts = freshTexts();
    const theirs = await at(texts, candidate);
    const ours = await at(texts, active);
    return texts.flatMap((text, index) => {
        const cosine = dot(theirs.vectors[index] ?? [], ours.vectors[index] ?? []);
        if (cosine >= MIN_COSINE) return [];
        const words = text.length > 40 ? `${text.slice(0, 40)}…` : text;
        return [
            `vectors of ${candidate} and ${active} have cosine ${cosine.toFixed(4)} for one text ` +
                `("${words}"); expected for one model: ${MIN_COSINE} or more`,
        ];
    });
}

/** Reads the model and revision of a colour; vectors of different models are not compared. */
async function readModel({ url, send = fetch }: Transport, colour: Colour): Promise<string> {
    const response = await send(`${url}${PATHS.health}`, {
        headers: { [HEADERS.previewColour]: colour },
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    const { model } = (await response.json()) as { model?: { name?: string; revision?: string } };
    return JSON.stringify([model?.name, model?.revision]);
}

function freshTexts(): string[] {
    return SUBJECTS.map((subject) => `${subject}, reference ${randomUUID()}`);
}
