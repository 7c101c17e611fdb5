import { assemble } from "../../../../app/src/app.ts";
import { readConfig } from "../../../../app/src/config.ts";
import { noGhosts } from "../../../../app/src/ghosts/ghosts.ts";
import { createHttpServer } from "../../../../app/src/http/transport/server.ts";
import { createLog } from "../../../../app/src/log.ts";
import { createDependencies, type Dependencies } from "../../../../app/src/container.ts";
import { OTHER_PORT, OTHER_VARIANT, type Variant } from "./abServers.ts";

/** What each variant changes of the service. */
const CHANGES: Readonly<Record<Variant, (parts: Dependencies) => Partial<Dependencies>>> = {
    "without metrics": disableMetrics,
    "without semantic reuse": (parts) => ({ config: { ...parts.config, reuse: undefined } }),
};

/** Assembles the service twice from the same dependencies, like app/src/server.ts. */
const config = readConfig(process.env);
const parts = await createDependencies(config, createLog(config));
const service = await assemble(parts);
const change = CHANGES[process.env[OTHER_VARIANT] as Variant];
const other = await assemble({ ...parts, ...change(parts) });
await service.start();
await createHttpServer(other.listener).listen(Number(process.env[OTHER_PORT]));
await createHttpServer(service.listener).listen(config.port);

function disableMetrics({
    ledger,
}: Dependencies): Pick<Dependencies, "metrics" | "ledger" | "ghosts"> {
    return {
        ghosts: noGhosts,
        metrics: {
            onResponse: () => undefined,
            onItemsFailed: () => undefined,
            onRequestStart: () => undefined,
            onRequestEnd: () => undefined,
            onRejected: () => undefined,
            initialiseSeries: () => undefined,
            hitPercent: () => NaN,
        },
        ledger: { ...ledger, recordResponse: () => undefined },
    };
}
