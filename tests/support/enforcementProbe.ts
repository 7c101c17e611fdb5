import { randomUUID } from "node:crypto";
import { eventually, openCluster } from "./cluster.ts";
import { reach } from "./reach.ts";
import { createUnrelatedPods, type UnrelatedPods } from "./unrelatedPods.ts";

/* A program: denies a connection that works, and says by "true" or "false" whether that ended it. */

/** More than any network takes to hear of a policy. */
const SECONDS = 30;
const PORT = 8001;

async function isEnforced({ run, allow }: UnrelatedPods): Promise<boolean> {
    const server = await run("server", [PORT]);
    const client = await run("client", []);
    const how = () => reach(client, server.status?.podIP ?? "", PORT);
    await eventually("the server listens", async () => (await how()) === "open");
    await allow("nothing", { podSelector: {}, policyTypes: ["Ingress"] });
    const denied = eventually("it is denied", async () => (await how()) === "closed", SECONDS);
    return denied.then(
        () => true,
        () => false,
    );
}

const unrelatedPods = await createUnrelatedPods(
    openCluster(),
    `enforced-${randomUUID().slice(0, 8)}`,
);
try {
    console.log(await isEnforced(unrelatedPods));
} finally {
    await unrelatedPods.remove();
}
