import { copyFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";
import { pino } from "pino";

import { setUp } from "../../../tests/support/setUp.ts";
import { makeCertificates, type CertificateFiles } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, startRedis, type RedisServer } from "../support/redisServer.ts";
import type { Service } from "../support/service.ts";
import { setUpStage } from "../support/setUp.ts";
import { allAre, stateOf, unharmed } from "../support/stage.ts";

const stage = setUpStage();
const files = setUp(makeCertificates, (one) => one.remove());

/** A Redis with TLS on one port, and a plain one for the test on another. */
async function encrypted(
    { cert, key }: CertificateFiles,
    clients: "yes" | "no" = "no",
    tlsPort?: number,
): Promise<{ redis: RedisServer; port: number }> {
    const port = tlsPort ?? (await freePort());
    const redis = await startRedis(undefined, [
        ...["--tls-port", String(port), "--tls-cert-file", cert, "--tls-key-file", key],
        ...["--tls-ca-cert-file", files.ca, "--tls-auth-clients", clients],
    ]);
    stage.ends(redis.kill);
    return { redis, port };
}

interface LoggedPod {
    readonly pod: Service;
    readonly logLines: readonly string[];
}

async function podOn(port: number, environment: Record<string, string>): Promise<LoggedPod> {
    const logLines: string[] = [];
    const log = pino({ level: "warn" }, { write: (line: string) => void logLines.push(line) });
    const url = `rediss://127.0.0.1:${port}`;
    return { pod: await stage.pod({ REDIS_URL: url, ...environment }, log), logLines };
}

/** It serves without Redis, and its log has the reason. */
async function expectRejected({ pod, logLines }: LoggedPod, why: RegExp): Promise<void> {
    const clients = stage.clients(pod);
    await clients.more("answers", 50);
    await eventually(`the log has ${String(why)}`, () => logLines.some((line) => why.test(line)));
    expect(await stateOf(pod)).toBe("down");
    await unharmed(clients);
}

describe("Redis over TLS", () => {
    test("with a certificate of our own authority is used", async () => {
        const { port } = await encrypted(files.server);
        const { pod } = await podOn(port, { REDIS_CA_FILE: files.ca });
        const clients = stage.clients(pod);
        await clients.more("HIT-L2", 50);
        await unharmed(clients);
    });

    test("that requires a client certificate gets ours", async () => {
        const { port } = await encrypted(files.server, "yes");
        const { cert, key } = files.client;
        const { pod } = await podOn(port, {
            REDIS_CA_FILE: files.ca,
            REDIS_CERT_FILE: cert,
            REDIS_KEY_FILE: key,
        });
        await allAre([pod], "up");
    });

    test("that cannot be trusted, or does not trust us, is not used, and the log has the reason", async () => {
        const [server, strict, elsewhere, plain] = await Promise.all([
            encrypted(files.server),
            encrypted(files.server, "yes"),
            encrypted(files.elsewhere),
            startRedis(),
        ]);
        stage.ends(plain.kill);
        const ours = { REDIS_CA_FILE: files.ca };
        const cases = [
            [
                server.port,
                { REDIS_CA_FILE: files.otherCa },
                /certificate signature|local issuer|self-signed/,
            ],
            [server.port, {}, /local issuer|self-signed/],
            [elsewhere.port, ours, /altnames/],
            // In TLS 1.3 the client is authenticated after its handshake: a reset may overtake the reason.
            [strict.port, ours, /certificate required|ECONNRESET|EPIPE/],
            [plain.port, ours, /ETIMEDOUT/],
        ] as const;
        await Promise.all(
            cases.map(async ([port, environment, why]) =>
                expectRejected(await podOn(port, environment), why),
            ),
        );
    });

    test("with a renewed authority is used by the existing pods", async () => {
        const ca = join(files.folder, "mounted-ca.crt");
        await copyFile(files.otherCa, ca);
        const { port } = await encrypted(files.server);
        const { pod } = await podOn(port, { REDIS_CA_FILE: ca });
        expect(await stateOf(pod)).toBe("down");
        await copyFile(files.noPem, ca);
        await copyFile(files.ca, ca);
        await allAre([pod], "up");
    });
});
