import { assemble } from "../../../../app/src/app.ts";
import { readConfig } from "../../../../app/src/config.ts";
import { httpServer } from "../../../../app/src/http/transport/server.ts";
import { openLog } from "../../../../app/src/log.ts";
import { openParts, type Parts } from "../../../../app/src/container.ts";
import { WITHOUT_METRICS_PORT } from "./abServers.ts";

/** Assembles the service twice from the same dependencies, like app/src/server.ts. */
const config = readConfig(process.env);
const parts = await openParts(config, openLog(config));
const withMetrics = await assemble(parts);
const withoutMetrics = await assemble({ ...parts, ...disableMetrics(parts) });
await withMetrics.start();
await httpServer(withoutMetrics.listener).listen(Number(process.env[WITHOUT_METRICS_PORT]));
await httpServer(withMetrics.listener).listen(config.port);

function disableMetrics({ ledger }: Parts): Pick<Parts, "metrics" | "ledger"> {
    return {
        metrics: {
            answered: () => undefined,
            failed: () => undefined,
            began: () => undefined,
            ended: () => undefined,
            refused: () => undefined,
            know: () => undefined,
            hitPercent: () => NaN,
        },
        ledger: { ...ledger, answered: () => undefined },
    };
}
