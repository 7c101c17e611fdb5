import { assemble } from "../../../../app/src/app.ts";
import { readConfig } from "../../../../app/src/config.ts";
import { createHttpServer } from "../../../../app/src/http/transport/server.ts";
import { createLog } from "../../../../app/src/log.ts";
import { createDependencies, type Dependencies } from "../../../../app/src/container.ts";
import { WITHOUT_METRICS_PORT } from "./abServers.ts";

/** Assembles the service twice from the same dependencies, like app/src/server.ts. */
const config = readConfig(process.env);
const parts = await createDependencies(config, createLog(config));
const withMetrics = await assemble(parts);
const withoutMetrics = await assemble({ ...parts, ...disableMetrics(parts) });
await withMetrics.start();
await createHttpServer(withoutMetrics.listener).listen(Number(process.env[WITHOUT_METRICS_PORT]));
await createHttpServer(withMetrics.listener).listen(config.port);

function disableMetrics({ ledger }: Dependencies): Pick<Dependencies, "metrics" | "ledger"> {
    return {
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
