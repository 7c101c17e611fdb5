import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../../app/test/support/redisServer.ts";
import type { Query } from "../../judge/prometheus.ts";

/** Stale marker, which Prometheus writes if a series ends or a scrape fails. */
export const STALE = "stale";

export interface Series {
    readonly labels: Readonly<Record<string, string>>;
    readonly samples: readonly (readonly [unixSeconds: number, value: number | typeof STALE])[];
}

export interface RealPrometheus {
    readonly url: string;
    readonly write: (series: readonly Series[]) => Promise<void>;
    readonly ask: Query;
    readonly stop: () => Promise<void>;
}

/** Runs a program that is killed when its descriptor 3 closes, as it does when Jest ends a worker by force. */
const UNTIL_CLOSED = '{ cat <&3 >/dev/null; kill -KILL $$; } & exec "$0" "$@" 3<&-';

const BLOCK_SECONDS = 2 * 3_600;

/** Parts of a long history: promtool reads a part once for each block of two hours that it spans. */
export const splitByBlock = (lines: readonly string[]): readonly (readonly string[])[] => [
    ...Map.groupBy(lines, (line) =>
        Math.floor(Number(line.slice(line.lastIndexOf(" "))) / BLOCK_SECONDS),
    ).values(),
];

/**
 * Starts a real Prometheus on loopback that scrapes nothing and accepts remote writes.
 *
 * @param history samples of any age, one line of OpenMetrics each. Every part is imported on its own: promtool reads it once
 * for each two hours that it spans
 */
export async function startPrometheus(
    history: readonly (readonly string[])[] = [],
): Promise<RealPrometheus> {
    const folder = await mkdtemp(path.join(tmpdir(), "judge-"));
    for (const part of history) await createBlocks(folder, part);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = spawn(
        "sh",
        [
            ...["-c", UNTIL_CLOSED, "prometheus"],
            "--config.file=/dev/null",
            `--storage.tsdb.path=${folder}`,
            `--web.listen-address=127.0.0.1:${port}`,
            "--web.enable-remote-write-receiver",
            // A history has fixed times.
            "--storage.tsdb.retention.time=100y",
            "--log.level=error",
        ],
        { stdio: ["ignore", "ignore", "pipe", "pipe"] },
    );
    let log = "";
    child.stderr?.on("data", (piece: Buffer) => (log += piece.toString()));
    const end = performance.now() + 200_000;
    while (!(await fetch(`${url}/-/ready`).catch(() => undefined))?.ok) {
        if (child.exitCode !== null) throw new Error(`Prometheus ended: ${log}`);
        if (performance.now() > end) throw new Error("Prometheus is not ready after 200 s");
        await delay(50);
    }
    return {
        url,
        write: async (series) => {
            const answer = await fetch(`${url}/api/v1/write`, {
                method: "POST",
                headers: {
                    "content-encoding": "snappy",
                    "content-type": "application/x-protobuf",
                    "x-prometheus-remote-write-version": "0.1.0",
                },
                body: snappy(writeRequest(series)),
            });
            if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
        },
        ask: async (where, parameters) => {
            const query = new URLSearchParams(parameters).toString();
            return (await fetch(`${url}${where}?${query}`)).json();
        },
        stop: async () => {
            const hasEnded = child.exitCode !== null || child.signalCode !== null;
            const exit = hasEnded ? undefined : once(child, "exit");
            child.stdio[3]?.destroy();
            await exit;
            await rm(folder, { recursive: true, force: true });
        },
    };
}

async function createBlocks(folder: string, history: readonly string[]): Promise<void> {
    const file = path.join(folder, "history.txt");
    await writeFile(file, `${history.join("\n")}\n# EOF\n`);
    const args = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", file, folder];
    await promisify(execFile)("promtool", args);
    await rm(file);
}

/** Remote write 1.0: WriteRequest { timeseries = 1 { labels = 1 { name, value }, samples = 2 { value, time } } }. */
function writeRequest(all: readonly Series[]): Buffer {
    return Buffer.concat(
        all.map(({ labels, samples }) =>
            field(1, [
                encodeOnce(labels, () => encodeLabels(labels)),
                encodeOnce(samples, () => encodeSamples(samples)),
            ]),
        ),
    );
}

/** Large histories share the samples of many series, and the labels of many writes. */
const encodings = new WeakMap<object, Buffer>();

function encodeOnce(value: object, encode: () => Buffer): Buffer {
    const known = encodings.get(value) ?? encode();
    encodings.set(value, known);
    return known;
}

function encodeLabels(labels: Series["labels"]): Buffer {
    // Receivers require labels sorted by name.
    const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
    const fields = sorted.map(([name, value]) =>
        field(1, [field(1, [Buffer.from(name)]), field(2, [Buffer.from(value)])]),
    );
    return Buffer.concat(fields);
}

function encodeSamples(samples: Series["samples"]): Buffer {
    const fields = samples.map(([seconds, value]) =>
        field(2, [
            Buffer.from([(1 << 3) | 1]),
            double(value),
            Buffer.from([2 << 3]),
            varint(Math.round(seconds * 1000)),
        ]),
    );
    return Buffer.concat(fields);
}

function field(number: number, parts: readonly Buffer[]): Buffer {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content]);
}

function varint(value: number): Buffer {
    const bytes: number[] = [];
    let rest = BigInt(value);
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return Buffer.from([...bytes, Number(rest)]);
}

function double(value: number | typeof STALE): Buffer {
    const bytes = Buffer.alloc(8);
    // A JavaScript number may lose the bits of this NaN.
    if (value === STALE) bytes.writeBigUInt64LE(0x7ff0000000000002n);
    else bytes.writeDoubleLE(value);
    return bytes;
}

/** Snappy's block format without compression: the length, and one literal. */
function snappy(content: Buffer): Uint8Array<ArrayBuffer> {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(content.length - 1);
    return new Uint8Array(
        Buffer.concat([varint(content.length), Buffer.from([63 << 2]), length, content]),
    );
}
