import { UserError } from "@property-search/contract";
import { readEnvironment } from "./settings.ts";
import { serve } from "./server.ts";

/** No request for this long after SIGTERM means that the gateway has removed this pod. */
const QUIET_MILLISECONDS = 1_000;

async function main(): Promise<void> {
    const settings = readEnvironment(process.env);
    // Signals may come before the server listens.
    const stopped = new Promise<NodeJS.Signals>((resolve) => {
        for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, resolve);
    });
    const server = await serve({ settings, print: (line) => console.log(line) });
    console.log(`Property search on http://127.0.0.1:${server.port}`);
    console.log(`Embeddings from ${settings.embeddingUrl} (EMBEDDING_URL)`);
    const signal = await stopped;
    console.log(`${signal}: draining`);
    // After Ctrl-C, there is no gateway to wait for.
    await server.stop(signal === "SIGINT" ? 0 : QUIET_MILLISECONDS);
}

main().then(
    () => process.exit(0),
    (error: unknown) => {
        console.error(error instanceof UserError ? error.message : error);
        process.exit(1);
    },
);
