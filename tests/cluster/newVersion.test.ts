import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { LABELS, otherColour, type Colour } from "@property-search/contract";
import { readLiveWeights } from "../../operations/gateway/endpoint.ts";
import { candidateWeights } from "../../operations/release/state.ts";
import { totalsOf, type Clients } from "../support/clients/clients.ts";
import { deploymentOf, openCluster, podsOf } from "../support/cluster.ts";
import { make } from "../support/makeUp.ts";
import { beginSwitching, startUsual } from "../support/switching.ts";

const VERSION = "v2.1.0-tried";

const cluster = openCluster();
const DEPLOY = [
    "deploy",
    "STACK=local",
    `KUBECONFIG=${cluster.kubeconfig}`,
    "PLAN=--steps 20,100 --min-step-seconds 15 --min-requests 200 --bake-seconds 0 --cooldown-seconds 0",
];
let idle: Colour;
let image: string;
let clients: Clients;
let putBack: () => Promise<void>;

beforeAll(async () => {
    ({ idle, putBack } = await beginSwitching(cluster));
    image = await imageOf(idle);
}, 180_000);

afterAll(async () => {
    await putBack();
    await make("up");
}, 300_000);

async function imageOf(colour: Colour): Promise<string> {
    const { spec } = await deploymentOf(cluster, colour);
    return spec?.template.spec?.containers[0]?.image ?? "";
}

async function versionsOf(colour: Colour): Promise<ReadonlySet<string | undefined>> {
    const pods = await podsOf(cluster, colour);
    return new Set(pods.map(({ metadata }) => metadata?.labels?.[LABELS.version]));
}

describe("make deploy", () => {
    test("refuses an image without its version, and changes nothing", async () => {
        const { exitCode, output } = await make(...DEPLOY, `IMAGE=${image}`);
        expect(exitCode).not.toBe(0);
        expect(output).toContain("VERSION is not set");
        expect(await versionsOf(idle)).not.toContain(VERSION);
    });

    test("puts a new version on the idle colour and gives it the traffic; clients notice nothing", async () => {
        clients = await startUsual(cluster, { perSecond: { kept: 200, fresh: 40, slow: 4 } });
        const before = await versionsOf(otherColour(idle));
        const deployed = await make(...DEPLOY, `IMAGE=${image}`, `VERSION=${VERSION}`);
        const { failures, answered } = totalsOf(await clients.stop());
        expect(`${String(deployed.exitCode)}: ${deployed.output}`).toMatch(/^0: /);
        expect(await readLiveWeights(cluster)).toEqual(candidateWeights(idle, 100));
        expect(await versionsOf(idle)).toEqual(new Set([VERSION]));
        expect(await versionsOf(otherColour(idle))).toEqual(before);
        expect(failures).toEqual({});
        expect(answered[idle]).toBeGreaterThan(1000);
    }, 360_000);
});
