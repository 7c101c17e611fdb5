import { expect, test } from "@jest/globals";

import { eventually } from "../support/eventually.ts";
import { MASTER, startSentinels } from "../support/sentinels.ts";
import type { Service } from "../support/service.ts";
import { setUpStage } from "../support/setUp.ts";
import { allAre, unharmed } from "../support/stage.ts";

const PASSWORD = "of-the-sentinels";

const stage = setUpStage();

async function podsOn(url: string): Promise<readonly Service[]> {
    const environment = {
        REDIS_MODE: "sentinel",
        REDIS_URL: url,
        REDIS_SENTINEL_MASTER: MASTER,
        REDIS_SENTINEL_PASSWORD: PASSWORD,
    };
    const pods = [await stage.pod(environment), await stage.pod(environment)];
    await allAre(pods, "up");
    return pods;
}

test("a primary that is killed: its replica takes over, entries are kept, and no request fails", async () => {
    const group = await startSentinels({ password: PASSWORD });
    stage.ends(group.stop);
    const pods = await podsOn(group.url);
    const clients = stage.clients(...pods);
    await clients.more("HIT-L2", 50);
    await group.primary.kill();
    await allAre(pods, "down");
    await clients.more("answers", 50);
    await eventually("the replica is the primary", () =>
        group.replica.command("ROLE").startsWith("master"),
    );
    await allAre(pods, "up");
    await clients.more("HIT-L2", 50);
    await clients.more("MISS", 10);
    await unharmed(clients);
});

test("a primary that hangs, and a lost sentinel: the pods follow to the new one, and stay", async () => {
    const group = await startSentinels({ password: PASSWORD });
    stage.ends(group.stop);
    const pods = await podsOn(group.url);
    await group.sentinels[0]?.kill();
    const clients = stage.clients(...pods);
    await clients.more("HIT-L2", 50);
    group.primary.pause();
    await eventually("the replica is the primary", () =>
        group.replica.command("ROLE").startsWith("master"),
    );
    await allAre(pods, "up");
    await clients.more("HIT-L2", 50);
    group.primary.resume();
    const stored = group.replica.command("DBSIZE");
    await eventually(
        "the new primary is written to",
        () => group.replica.command("DBSIZE") !== stored,
    );
    expect(group.primary.command("CLIENT", "LIST")).not.toContain("ioredis");
    await unharmed(clients);
});
