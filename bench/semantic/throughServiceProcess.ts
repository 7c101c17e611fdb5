/**
 * The service as it ships, except that a lookup may take long: one that is late is a miss, which depends on the machine
 * and not on the method.
 */
import { buildApp } from "../../app/src/app.ts";
import { readConfig } from "../../app/src/config.ts";
import { createHttpServer } from "../../app/src/http/transport/server.ts";
import { createLog } from "../../app/src/log.ts";

const config = readConfig(process.env);
const app = await buildApp(config, createLog(config), { lookupMilliseconds: 10_000 });
await app.admin?.listen(config.admin?.port ?? 0);
await app.start();
await createHttpServer(app.listener).listen(config.port);
