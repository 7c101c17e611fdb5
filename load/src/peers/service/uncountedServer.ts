import { assemble } from "../../../../app/src/app.ts";
import { readConfig } from "../../../../app/src/config.ts";
import { httpServer } from "../../../../app/src/http/server.ts";
import { openLog } from "../../../../app/src/log.ts";
import { openParts } from "../../../../app/src/parts.ts";

/** The service put together as app/src/server.ts does, but with nobody who counts. */
const config = readConfig(process.env);
const parts = await openParts(config, openLog(config));
const app = await assemble({
    ...parts,
    metrics: {
        answered: () => undefined,
        failed: () => undefined,
        began: () => undefined,
        ended: () => undefined,
        refused: () => undefined,
        know: () => undefined,
        hitPercent: () => NaN,
    },
    ledger: { ...parts.ledger, answered: () => undefined },
});
await httpServer(app.listener).listen(config.port);
await app.start();
