import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
    ADMIN_PATHS,
    ADMIN_PREFIX,
    COLOURS,
    IMPACT_PREFIX,
    NAMESPACES,
    type Colour,
    type RuntimeSettingsState,
} from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";
import { clusterAdminTarget } from "../../operations/admin/target.ts";
import { describeTunedSettings } from "../../operations/deploy/tunedSettings.ts";
import {
    bothColoursReady,
    deploymentOf,
    eventually,
    openCluster,
    podsOf,
} from "../support/cluster.ts";
import { openImpact, runDaily, RUN_SECONDS, type ImpactClient } from "../support/insights.ts";

const SETTING = "localCacheMaxEntries";
/** As the tuner signs its changes. */
const TUNER = "tuner";

/** More than the service states. */
const PROPAGATION_MILLISECONDS = 3_000;

const cluster = openCluster();

let impact: ImpactClient;
let configured: number;

beforeAll(async () => {
    impact = await openImpact(cluster);
    await allowTuning();
    // Until all pods know this version: the next change follows it.
    await delay(PROPAGATION_MILLISECONDS);
    const { settings } = await settingsOf({});
    configured = settings[SETTING].configured;
});

// Whatever failed, the configured values are in force again.
afterAll(async () => {
    await call("PUT", ADMIN_PATHS.tuning, { tuning: "stopped", actor: "test", reason: "its end" });
    await allowTuning();
});

const allowTuning = () =>
    call("PUT", ADMIN_PATHS.tuning, { tuning: "allowed", actor: "test", reason: "a test" });

interface Choice {
    readonly colour?: Colour;
    readonly pod?: string;
}

async function call(method: string, path: string, body?: object, choice: Choice = {}) {
    const { url, token, close } = await clusterAdminTarget(cluster, choice);
    try {
        const response = await fetch(`${url}${ADMIN_PREFIX}${path}`, {
            method,
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            ...(body && { body: JSON.stringify(body) }),
        });
        return { status: response.status, json: await response.json() };
    } finally {
        await close();
    }
}

const settingsOf = async (choice: Choice) =>
    (await call("GET", ADMIN_PATHS.settings, undefined, choice)).json as RuntimeSettingsState;

/** Sets a value as the tuner does; `null` takes it back. */
async function tune(value: number): Promise<number> {
    const { version } = await settingsOf({});
    const change = { version: version + 1, actor: TUNER, reason: "a test of the cluster" };
    const { status } = await call("PUT", ADMIN_PATHS.settings, {
        ...change,
        settings: { [SETTING]: value },
    });
    return status;
}

/** The value in force in each pod of both colours; undefined for one that does not run yet. */
async function valuesOfPods(): Promise<readonly (number | undefined)[]> {
    const values: (number | undefined)[] = [];
    for (const colour of COLOURS)
        for (const { metadata, status } of await podsOf(cluster, colour)) {
            const isReady = status?.containerStatuses?.every(({ ready }) => ready) ?? false;
            const state = isReady
                ? await settingsOf({ colour, pod: metadata?.name ?? "" })
                : undefined;
            values.push(state?.settings[SETTING].value ?? undefined);
        }
    return values;
}

async function untilAllHave(value: number): Promise<void> {
    await eventually(`all pods have ${value}`, async () => {
        const values = await valuesOfPods();
        return values.length > 0 && values.every((one) => one === value);
    });
}

/** What the page shows of the setting, which Prometheus has scraped from all pods. */
async function shown(): Promise<unknown> {
    const answer = await impact.get(`${IMPACT_PREFIX}/api/impact?range=1h`, impact.accessToken);
    const { settings } = (await answer.json()) as { settings: readonly { setting: string }[] };
    return settings.find(({ setting }) => setting === SETTING);
}

const onPage = (source: string, value: number) => ({
    setting: SETTING,
    inForce: [{ source, lowest: value, highest: value }],
    default: configured,
});

test("a tuned value reaches all pods and the page, and is neither in the Deployments nor drift", async () => {
    const before = await Promise.all(COLOURS.map((colour) => deploymentOf(cluster, colour)));
    const value = Math.max(1, Math.floor(configured / 2));
    expect(await tune(value)).toBe(200);
    await untilAllHave(value);
    await eventually("the page shows it", async () => {
        try {
            expect(await shown()).toMatchObject(onPage("tuned", value));
            return true;
        } catch {
            return false;
        }
    });
    const after = await Promise.all(COLOURS.map((colour) => deploymentOf(cluster, colour)));
    expect(after.map(({ metadata }) => metadata?.generation)).toEqual(
        before.map(({ metadata }) => metadata?.generation),
    );
    expect(await describeTunedSettings(cluster)).toContain(
        `${SETTING}: ${value} instead of ${configured}, by ${TUNER}`,
    );
}, 240_000);

test("a pod that starts has it, as those of a deploy do", async () => {
    const value = (await settingsOf({})).settings[SETTING].value ?? NaN;
    const [pod] = await podsOf(cluster, "green");
    const name = pod?.metadata?.name ?? "";
    await cluster.objects.delete({
        apiVersion: "v1",
        kind: "Pod",
        namespace: NAMESPACES.green,
        name,
    });
    await bothColoursReady(cluster);
    expect((await podsOf(cluster, "green")).map((one) => one.metadata?.name)).not.toContain(name);
    await untilAllHave(value);
}, 240_000);

test(
    "a run of the tuner takes back in all pods what it had set, if its mode is off",
    async () => {
        await runDaily(cluster, (container) =>
            container.name === "tune"
                ? {
                      ...container,
                      args: (container.args ?? []).map((one) =>
                          one.replace(/^--mode=.*/, "--mode=off"),
                      ),
                  }
                : container,
        );
        await untilAllHave(configured);
        const { settings } = await settingsOf({});
        expect(settings[SETTING]).toMatchObject({ source: "config", tuned: null });
        const record = await impact.get(`${IMPACT_PREFIX}/api/tuning`, impact.accessToken);
        expect(await record.json()).toMatchObject({ state: { mode: "off" } });
    },
    2 * RUN_SECONDS * 1000,
);

test("the kill switch restores the configured value in all pods, and refuses others", async () => {
    expect(await tune(configured - 1)).toBe(200);
    await untilAllHave(configured - 1);
    const stop = { tuning: "stopped", actor: "test", reason: "the kill switch" };
    expect((await call("PUT", ADMIN_PATHS.tuning, stop)).status).toBe(200);
    await untilAllHave(configured);
    expect(await tune(configured - 1)).toBe(409);
    expect(await describeTunedSettings(cluster)).toContain("none, tuning is stopped");
}, 240_000);
