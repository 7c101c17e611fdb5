import { assemble } from "../../../../app/src/app.ts";
import { readConfig } from "../../../../app/src/config.ts";
import { httpServer } from "../../../../app/src/http/server.ts";
import { openLog } from "../../../../app/src/log.ts";
import { openParts, type Parts } from "../../../../app/src/parts.ts";
import { UNCOUNTED_PORT } from "./twins.ts";

/** Put together as app/src/server.ts does, from the same parts twice. */
const config = readConfig(process.env);
const parts = await openParts(config, openLog(config));
const counted = await assemble(parts);
const uncounted = await assemble({ ...parts, ...nobodyCounts(parts) });
await counted.start();
await httpServer(uncounted.listener).listen(Number(process.env[UNCOUNTED_PORT]));
await httpServer(counted.listener).listen(config.port);

function nobodyCounts({ ledger }: Parts): Pick<Parts, "metrics" | "ledger"> {
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
