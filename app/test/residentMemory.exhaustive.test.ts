import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { afterEach, expect, test } from "@jest/globals";
import { HEADERS, METRICS, PATHS } from "@property-search/contract";
import { DEFAULT_SETTINGS, mostMebibytes } from "@property-search/contract/settings";
import { Pool } from "undici";

import { MAX_BODY_BYTES } from "../src/http/protocol/requestBody.ts";
import { MAX_NAMESPACES } from "../src/reuse/namespaces.ts";
import { eventually } from "./support/eventually.ts";
import { modelDirectory } from "./support/model.ts";
import { killPods, startPod, type Pod } from "./support/pod.ts";
import { stubEnvironment } from "./support/service.ts";
import { setUpTenants, setUpUpstream } from "./support/setUp.ts";

/** A model with long vectors, shortening, and a known vocabulary. */
const MODEL = "text-embedding-3-large";
const DIMENSIONS = 3072;
const ENTRIES = 500;
const CONNECTIONS = 32;
const SEMANTIC_TEXTS = 2_000;
/** Few, since one thread looks up the texts of all. */
const SEMANTIC_CLIENTS = 2;
const TEXTS_PER_LOOKUP = 4;
const SEMANTIC_SECONDS = 900;
/** Longer than usual: the model is loaded beside other tests. */
const START_SECONDS = 240;

const SETTINGS = {
    ...DEFAULT_SETTINGS,
    provider: "openai",
    model: MODEL,
    localCacheMaxEntries: ENTRIES,
} as const;
const SEMANTIC_SETTINGS = {
    ...SETTINGS,
    semanticMode: "optIn",
    semanticMaxEntries: SEMANTIC_TEXTS,
} as const;

/** Each has a namespace of semantic reuse. */
const TENANTS = Array.from({ length: MAX_NAMESPACES }, (_, at) => ({
    id: `tenant-${at}`,
    key: `key-of-tenant-${at}`,
}));

let pod: Pod;
let pool: Pool;

const upstream = setUpUpstream({ dimensions: DIMENSIONS });
const tenants = setUpTenants(...TENANTS);

async function start(environment: Record<string, string>): Promise<void> {
    pod = await startPod(
        {
            ...stubEnvironment(upstream.url),
            EMBEDDING_MODEL: MODEL,
            MAX_LOCAL_CACHE_SIZE: String(ENTRIES),
            ...environment,
        },
        START_SECONDS,
    );
    pool = new Pool(pod.url, { connections: CONNECTIONS, bodyTimeout: 0, headersTimeout: 0 });
}

afterEach(async () => {
    await pool.destroy();
    killPods();
});

/** @returns MiB, the peak of the process */
function peakResident(): number {
    const status = readFileSync(`/proc/${pod.process.pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function post(path: string, body: object | string, headers = {}): Promise<number> {
    const sent = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await pool.request({ method: "POST", path, body: sent, headers });
    await answer.body.dump({ limit: Infinity });
    return answer.statusCode;
}

/** Sends bodies over all connections until there are no more. */
async function sendAll(count: number, bodyOf: (at: number) => [string, object | string]) {
    const statuses = new Map<number, number>();
    let next = 0;
    const client = async (): Promise<void> => {
        for (let at = next++; at < count; at = next++) {
            const status = await post(...bodyOf(at));
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, client));
    return statuses;
}

const embeddings = (input: unknown, more = {}): [string, object] => [
    PATHS.embeddings,
    { model: MODEL, input, ...more },
];

const large = (unit: string): string => {
    const count = Math.floor((MAX_BODY_BYTES - 100) / Buffer.byteLength(unit));
    return JSON.stringify({ text: `a${unit.repeat(count)}` });
};

/** Clients that send all of a large body except its last byte. */
async function sendIncompleteBodies(clients: number): Promise<readonly Socket[]> {
    const piece = Buffer.alloc(64 * 1024, "a");
    return Promise.all(
        Array.from({ length: clients }, async () => {
            const socket = connect(pod.port, "127.0.0.1").on("error", () => undefined);
            socket.resume();
            const head = `POST ${PATHS.embed} HTTP/1.1\r\nhost: a\r\ncontent-length: ${MAX_BODY_BYTES}\r\n\r\n`;
            socket.write(head);
            for (let at = 1; at < MAX_BODY_BYTES / piece.length && !socket.destroyed; at += 1) {
                if (!socket.write(piece))
                    await Promise.race([
                        new Promise((resolve) => socket.once("drain", resolve)),
                        new Promise((resolve) => socket.once("close", resolve)),
                    ]);
            }
            return socket;
        }),
    );
}

/** Clients that request a large response and never read it. */
async function sendWithoutReading(clients: number, bodyOf: (at: number) => object) {
    return Promise.all(
        Array.from({ length: clients }, async (_, at) => {
            const socket = connect(pod.port, "127.0.0.1").on("error", () => undefined);
            const json = JSON.stringify(bodyOf(at));
            socket.pause();
            await new Promise((resolve) => socket.once("connect", resolve));
            socket.write(
                `POST ${PATHS.embeddings} HTTP/1.1\r\nhost: a\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
            );
            return socket;
        }),
    );
}

/** Fills the namespaces of all tenants with texts that differ by their numbers, so that none is answered from others. */
async function sendSimilarTexts(): Promise<void> {
    let next = 0;
    const send = async (): Promise<void> => {
        const at = next++;
        const texts = Array.from({ length: TEXTS_PER_LOOKUP }, (_, n) => `flat ${at} near ${n}`);
        const status = await post(...embeddings(texts), {
            [HEADERS.cacheMode]: "semantic",
            authorization: `Bearer ${TENANTS[at % TENANTS.length]?.key}`,
        });
        expect(status).toBe(200);
    };
    await eventually(
        `all ${MAX_NAMESPACES} namespaces have texts, ${SEMANTIC_TEXTS} together`,
        async () => {
            await Promise.all(Array.from({ length: SEMANTIC_CLIENTS }, send));
            const entries = await readSemanticEntries();
            const all = entries.reduce((sum, one) => sum + one, 0);
            return (
                entries.filter((one) => one > 0).length === MAX_NAMESPACES && all >= SEMANTIC_TEXTS
            );
        },
        SEMANTIC_SECONDS,
    );
}

/** @returns texts of each namespace */
async function readSemanticEntries(): Promise<readonly number[]> {
    const metrics = await (await fetch(pod.url + PATHS.metrics)).text();
    const series = new RegExp(`^${METRICS.semanticEntries}\\{.* (\\d+)$`, "gm");
    return [...metrics.matchAll(series)].map(([, value]) => Number(value));
}

/** Filling all namespaces with texts takes minutes: only on request. */
const CASES = process.env.SEMANTIC === "1" ? 2 : 1;

test.each(
    [
        { name: "without semantic reuse", settings: SETTINGS },
        { name: "with semantic reuse", settings: SEMANTIC_SETTINGS },
    ].slice(0, CASES),
)(
    "$name, the memory of a pod stays within its bound under all that clients can send",
    async ({ settings }) => {
        const bound = mostMebibytes(settings);
        const isSemantic = settings.semanticMode !== "off";
        await start(
            isSemantic
                ? {
                      SEMANTIC_MODE: settings.semanticMode,
                      SEMANTIC_MAX_ENTRIES: String(settings.semanticMaxEntries),
                      MODEL_DIR: modelDirectory(),
                      TENANTS_FILE: tenants.file,
                  }
                : {},
        );
        const peaks: Record<string, number> = {};
        const note = (name: string): void => {
            expect(pod.process.exitCode).toBeNull();
            peaks[name] = Math.round(peakResident());
        };
        note("at the start");
        if (isSemantic) {
            await sendSimilarTexts();
            note("similar texts");
        }
        // Each body is new, and each is a hit of one text.
        const blanks = (at: number): string =>
            Array.from(at.toString(4), (digit) => " \t\n\r"[Number(digit)]).join("");
        await sendAll(45_000, (at) => [PATHS.embed, `{${blanks(at)}"text":"a"}`]);
        note("remembered requests");
        await sendAll(12, (at) =>
            embeddings(
                Array.from({ length: 256 }, (_, n) => `${at} ${n}`),
                {
                    encoding_format: at % 2 === 0 ? "float" : "base64",
                },
            ),
        );
        note("misses");
        await sendAll(3_000, (at) =>
            embeddings("11 7", { dimensions: (at % (DIMENSIONS - 1)) + 1 }),
        );
        note("lengths of vectors");
        const known = Array.from({ length: 256 }, (_, n) => `11 ${n}`);
        await sendAll(64, (at) => embeddings(known, { dimensions: DIMENSIONS - 1 - at }));
        note("shortened batches");
        const sockets = await sendIncompleteBodies(150);
        await wait(1_000);
        note("incomplete bodies");
        for (const socket of sockets) socket.destroy();
        const bodies = ["\u0315\u0300", "房", "two rooms ", "é\u3000", "\u0344"].map(large);
        const statuses = await sendAll(25, (at) => [PATHS.embed, bodies[at % bodies.length] ?? ""]);
        note("large bodies");
        expect([...statuses.keys()].every((status) => [200, 400, 503, 504].includes(status))).toBe(
            true,
        );
        await sendAll(4, (at) => [
            PATHS.embed,
            {
                texts: Array.from(
                    { length: 2_048 },
                    (_, n) => `${at} ${n} ${"two rooms ".repeat(30)}`,
                ),
            },
        ]);
        note("large batches");
        const readers = await sendWithoutReading(60, (at) => ({
            model: MODEL,
            input: Array.from({ length: 2_048 }, (_, n) => `unread ${at} ${n}`),
        }));
        await wait(20_000);
        note("answers that nobody reads");
        for (const socket of readers) socket.destroy();
        process.stderr.write(`resident MiB, bound ${bound}: ${JSON.stringify(peaks)}\n`);
        expect(Math.max(...Object.values(peaks))).toBeLessThan(bound);
        // On a slow machine, expired batches occupy the upstream for a moment.
        await eventually("it answers", async () => (await pod.ask("still well")).status === 200);
    },
    1_800_000,
);
