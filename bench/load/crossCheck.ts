import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

import { writeBodies } from "../service/generators/bodies.ts";
import { parseSample } from "../service/generators/measure.ts";
import { createProcesses } from "../service/processes/processes.ts";
import { median } from "../service/report/statistics.ts";
import { BenchError } from "../shared/benchError.ts";
import { seededRandom } from "../shared/random.ts";
import { runToEnd } from "../shared/runToEnd.ts";
import { replay } from "./generator.ts";
import { embedRequest } from "./traffic/requests.ts";
import { createClosed } from "./traffic/sessions.ts";
import { writeTrace } from "./traffic/trace.ts";

const CONNECTIONS = 10;
const SECONDS = 4;
const TURNS = 3;
/** Both may differ by so much. */
const TOLERANCE = 0.1;
const SCRIPT = path.resolve(import.meta.dirname, "../service/generators/post.lua");

/** What both report of a closed loop: requests per second, and milliseconds from sent to answered. */
export interface Figures {
    readonly rate: number;
    readonly p50: number;
    readonly p99: number;
}

/** Largest difference of ours to the other's, as a share of the other's. */
export function difference(ours: Figures, other: Figures): number {
    return Math.max(
        ...(["rate", "p50", "p99"] as const).map((key) => Math.abs(ours[key] / other[key] - 1)),
    );
}

/** Answers in a worker after 4 to 12 ms, at random but equally for both, so that p50 and p99 differ. */
function serve(): void {
    const random = seededRandom(1);
    const server = createServer((request, response) => {
        request.resume();
        const wait = 4 + 8 * random() ** 4;
        setTimeout(() => response.setHeader("x-cache", "HIT-L1").end("{}"), wait);
    });
    server.listen(0, "127.0.0.1", () => {
        parentPort?.postMessage((server.address() as AddressInfo).port);
    });
}

async function crossCheck(): Promise<void> {
    const worker = new Worker(import.meta.filename);
    const processes = createProcesses();
    try {
        const port = await new Promise<number>((resolve) => worker.once("message", resolve));
        const url = `http://127.0.0.1:${port}`;
        const [ours, wrk]: [Figures[], Figures[]] = [[], []];
        for (let turn = 0; turn < TURNS; turn += 1) {
            wrk.push(await runWrk(url, processes.folder));
            ours.push(await runOurs(url, processes.folder, wrk[turn]?.rate ?? 1000));
            await delay(200);
        }
        const [own, other] = [medians(ours), medians(wrk)];
        const words = ({ rate, p50, p99 }: Figures) =>
            `${rate.toFixed(0)} requests/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
        console.log(`wrk:            ${words(other)}`);
        console.log(`load generator: ${words(own)}`);
        const largest = difference(own, other);
        console.log(
            `largest difference: ${(largest * 100).toFixed(1)} %, allowed ${TOLERANCE * 100} %`,
        );
        if (largest > TOLERANCE) process.exitCode = 1;
    } finally {
        processes.killAll();
        await worker.terminate();
    }
}

async function runWrk(url: string, folder: string): Promise<Figures> {
    const { body = "" } = embedRequest("Two rooms");
    const bodies = writeBodies(folder, "bodies", [body]);
    const args = [
        ...["--threads", "1", "--connections", `${CONNECTIONS}`, "--duration", `${SECONDS}s`],
        ...["--script", SCRIPT, `${url}/embed`, "--", bodies],
    ];
    const { status, stdout, stderr } = await runToEnd("wrk", args);
    if (status !== 0) throw new BenchError(`wrk failed: ${stderr}\n${stdout}`);
    const { sample } = parseSample(stdout);
    return { rate: sample.rate, p50: sample.latency.p50, p99: sample.latency.p99 };
}

async function runOurs(url: string, folder: string, rate: number): Promise<Figures> {
    const traceFile = path.join(folder, "trace.ndjson");
    const count = Math.round(rate * SECONDS);
    await writeTrace(
        traceFile,
        createClosed(count, CONNECTIONS, () => embedRequest("Two rooms")),
    );
    const { summary } = await replay({
        ...{ target: url, headers: {}, traceFile, onSecond: () => undefined },
        signal: new AbortController().signal,
    });
    const { embed } = summary.routes;
    if (!embed) throw new BenchError("the load generator got no responses");
    return {
        rate: embed.answered / summary.seconds,
        p50: embed.service.p50,
        p99: embed.service.p99,
    };
}

function medians(all: readonly Figures[]): Figures {
    const of = (key: keyof Figures) => median(all.map((one) => one[key]));
    return { rate: of("rate"), p50: of("p50"), p99: of("p99") };
}

if (!isMainThread) serve();
else if (process.argv[1] === import.meta.filename) {
    await runCommand(
        new Command("load-check")
            .description("Compares the load generator with wrk under the same closed-loop load")
            .action(crossCheck),
    );
}
