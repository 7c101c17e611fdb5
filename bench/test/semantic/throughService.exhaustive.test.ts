import { expect, test } from "@jest/globals";
import path from "node:path";

import { runToEnd } from "../../shared/runToEnd.ts";

const MAIN = path.resolve(import.meta.dirname, "../../semantic/main.ts");
/** It took 67 s beside other work; beside more of it, the model gets a small share of the cores. */
const MILLISECONDS = 840_000;

test(
    "the service in its own process resolves each request of a stream as the simulation does",
    async () => {
        const options = [
            ...["--sets", "property", "--models", "e5-small", "--streams", "zipf-cold"],
            ...["--texts", "500", "--requests", "500", "--first-seed", "22", "--budgets", "0.02"],
        ];
        // Jest's own Node settings are not the user's. The model's runtime does not run within Jest.
        const env = { ...process.env, NODE_OPTIONS: "" };
        const { status, stdout, stderr } = await runToEnd(
            process.execPath,
            [MAIN, "--through-service", ...options],
            { env, timeout: MILLISECONDS },
        );
        // A model that is fetched is named there, too.
        expect(`${status}\n${stderr}`).toMatch(/^0\n/);
        expect(Number(/^served: (\d+)/m.exec(stdout)?.[1])).toBeGreaterThan(10);
    },
    MILLISECONDS + 60_000,
);
