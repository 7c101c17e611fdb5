import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { vectorError } from "../fill.ts";
import { BODIES, dimensionsOf, inputJson, RAW, SLOW_BODIES, TEXTS } from "./kinds.ts";
import { send } from "./send.ts";
import type { AttackReport } from "./start.ts";

/**
 * Sends hostile requests, one of each kind at a time, for a given time.
 *
 *   node attackers.ts URL SECONDS REPORT NAME…
 */
const MIB = 2 ** 20;
/** Pause between two requests of an attack, since it shares the cores with normal traffic. */
const PAUSE_MILLISECONDS = 250;
/** Concurrent slow clients of an attack. */
const SLOW_CLIENTS = 20;
const ANSWER_MILLISECONDS = 5_000;

const [target = "", seconds = "", reportFile = "", ...chosen] = process.argv.slice(2);
const url = new URL(target);
const byAttack: Record<string, Record<string, number>> = {};
let wrongVectors = 0;

type Attack = (turn: number) => Promise<string>;

function attacks(): [string, Attack][] {
    const all: [string, () => Attack][] = [
        ...entries(BODIES, (make) => () => {
            const bodyOf = make();
            return async (turn) => (await send(url, bodyOf(turn))).status;
        }),
        ...entries(
            TEXTS,
            (make, name) => () => (turn) => compare(make(turn), dimensionsOf(name, turn)),
        ),
        ...entries(RAW, (make) => () => {
            const bytes = Buffer.from(make(url.host), "latin1");
            return () => sendBytes(bytes);
        }),
        [SLOW_BODIES, () => sendSlowBodies],
    ];
    return all
        .filter(([name]) => chosen.includes(name))
        .map(([name, prepare]) => [name, prepare()]);
}

function entries<In>(
    table: Readonly<Record<string, In>>,
    map: (one: In, name: string) => () => Attack,
): [string, () => Attack][] {
    return Object.entries(table).map(([name, one]) => [name, map(one, name)]);
}

async function repeat(name: string, once: Attack, until: number): Promise<void> {
    const counts: Record<string, number> = (byAttack[name] = {});
    for (let turn = 0; Date.now() < until; turn += 1) {
        const outcome = await once(turn);
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        await wait(PAUSE_MILLISECONDS);
    }
}

async function compare(text: string, dimensions: number): Promise<string> {
    const { status, body } = await send(url, inputJson(text, dimensions));
    if (status === "200" && vectorError(body, [text], dimensions) !== undefined) wrongVectors += 1;
    return status;
}

function open(): Socket {
    return connect(Number(url.port), url.hostname).on("error", () => undefined);
}

/** @returns the status of the first answer, or the reason why the connection ended */
function sendBytes(bytes: Buffer): Promise<string> {
    return new Promise((resolve) => {
        const socket = open();
        const end = (outcome: string): void => {
            clearTimeout(timer);
            socket.destroy();
            resolve(outcome);
        };
        const timer = setTimeout(end, ANSWER_MILLISECONDS, "no answer");
        socket.on("connect", () => socket.write(bytes));
        socket.on("data", (data) =>
            end(/^HTTP\/1\.1 (\d+)/.exec(data.toString("latin1"))?.[1] ?? "other"),
        );
        socket.on("error", ({ message }) => end(message));
        socket.on("close", () => end("closed"));
    });
}

/** Clients that send a large body except its end, wait, and disconnect. */
async function sendSlowBodies(): Promise<string> {
    const head =
        `POST /v1/embeddings HTTP/1.1\r\nhost: ${url.host}\r\n` +
        `content-type: application/json\r\ncontent-length: ${8 * MIB}\r\n\r\n`;
    const piece = Buffer.alloc(MIB - 1, " ");
    await Promise.all(
        Array.from({ length: SLOW_CLIENTS }, async () => {
            const socket = open();
            socket.write(head);
            for (let sent = 0; sent < 8 && !socket.destroyed; sent += 1) {
                socket.write(piece);
                await wait(200);
            }
            await wait(1_000);
            socket.destroy();
        }),
    );
    return "held";
}

const prepared = attacks();
const until = Date.now() + Number(seconds) * 1_000;
await Promise.all(prepared.map(([name, once]) => repeat(name, once, until)));
writeFileSync(reportFile, JSON.stringify({ byAttack, wrongVectors } satisfies AttackReport));
process.exit();
