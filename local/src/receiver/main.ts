/**
 * Receives Alertmanager's webhook notifications and lists them. It runs on the local cluster in a pod with Node and
 * the files of this folder.
 */
import { createReceiver } from "./receiver.ts";

createReceiver(console.log).listen(Number(process.env.PORT));
// The first process of a container ignores signals without a handler.
process.on("SIGTERM", () => process.exit(0));
