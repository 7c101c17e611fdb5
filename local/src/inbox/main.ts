/**
 * Receives what Alertmanager sends to a webhook and shows what came. It runs on the local cluster, as it
 * is, in a pod that has this folder's files and Node.
 */
import { createInbox } from "./inbox.ts";

createInbox(console.log).listen(Number(process.env.PORT));
// The first process of a container ends on a signal only when it says so.
process.on("SIGTERM", () => process.exit(0));
