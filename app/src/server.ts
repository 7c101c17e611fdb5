import { PATHS } from "@property-search/contract";

import { buildApp } from "./app.ts";
import { readConfig, type Config } from "./config.ts";
import { ConfigError } from "./settingsReader.ts";
import { createHttpServer } from "./http/transport/server.ts";
import { createLog } from "./log.ts";
import { lowerHelperPriorities } from "./threads/priority.ts";

/** No request for this long after SIGTERM means that endpoints and gateways have removed this pod. */
const QUIET_MILLISECONDS = 1_000;
/** Share of the drain time in which new requests are accepted. */
const ACCEPT_SHARE = 0.5;

async function main(): Promise<void> {
    lowerHelperPriorities();
    const config = readConfig(process.env);
    const log = createLog(config);
    const app = await buildApp(config, log);
    const server = createHttpServer(app.listener);
    const port = await server.listen(config.port);
    const adminPort = config.admin && (await app.admin?.listen(config.admin.port));
    const automationPort =
        config.automation && (await app.automation?.listen(config.automation.port));
    log.info({ port, adminPort, automationPort, ...summary(config) }, "Listening");
    const stopped = stopSignal();
    await Promise.race([app.start(), stopped]);
    if (config.colour === "none") greet(config, port);
    log.info("Ready");

    const signal = await stopped;
    log.info({ signal }, "Draining");
    app.drain();
    const timeoutMilliseconds = config.drainTimeoutSeconds * 1000;
    const cutOff = await server.drain({
        // After Ctrl-C, there is no gateway to wait for.
        quietMilliseconds: signal === "SIGINT" ? 0 : QUIET_MILLISECONDS,
        acceptMilliseconds: timeoutMilliseconds * ACCEPT_SHARE,
        timeoutMilliseconds,
    });
    await app.close();
    log.info({ cutOff }, "Stopped");
}

/** A second signal has no effect: the drain is bounded. */
function stopSignal(): Promise<NodeJS.Signals> {
    return new Promise((resolve) => {
        for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, resolve);
    });
}

function summary({ provider, redis, model }: Config): Record<string, unknown> {
    return { provider: provider.name, model, redis: redis?.mode ?? "off" };
}

function greet({ model }: Config, port: number): void {
    const url = `http://localhost:${port}`;
    process.stdout.write(
        `\n${model} answers on ${url}${PATHS.embed} and ${url}${PATHS.embeddings}. Try:\n` +
            `  curl -s ${url}${PATHS.embed} -H 'content-type: application/json' ` +
            `-d '{"text":"two rooms near the station"}'\n\n`,
    );
}

main().then(
    () => process.exit(0),
    (error: unknown) => {
        const message = error instanceof ConfigError ? error.message : String(error);
        process.stderr.write(`${message}\n`);
        process.exit(1);
    },
);
