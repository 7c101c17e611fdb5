import { beforeEach, expect, test } from "@jest/globals";
import { setTimeout as delay } from "node:timers/promises";
import { findUnknownAlerts } from "../../rehearse/run.ts";
import { readForSeconds, watchAlerts, type AlertSources } from "../../rehearse/alerts.ts";

type State = Readonly<Record<string, "pending" | "firing">>;

/** Alerts by `name/colour`; undefined: Prometheus does not answer. */
let state: State | undefined;
let delivered: readonly string[];
let polls = 0;

const sources: AlertSources = {
    prometheus: () =>
        state === undefined
            ? Promise.reject(new Error("unavailable"))
            : Promise.resolve({
                  data: {
                      groups: [
                          {
                              rules: Object.entries(state).map(([key, is]) => {
                                  const [name = "", colour = ""] = key.split("/");
                                  const labels = { alertname: name, colour, severity: "critical" };
                                  return { name, duration: 60, alerts: [{ labels, state: is }] };
                              }),
                          },
                      ],
                  },
              }),
    alertmanager: () => {
        polls += 1;
        const labels = delivered.map((key) => {
            const [alertname = "", colour = ""] = key.split("/");
            return { labels: { alertname, colour, cluster: "one" } };
        });
        return Promise.resolve(labels);
    },
};

beforeEach(() => {
    [state, delivered] = [{}, []];
});

const POLL_MILLISECONDS = 5;

/** Shows a state to the next polls: one that has begun may still see the last one. */
async function show(next: State | undefined, received: readonly string[] = []): Promise<void> {
    [state, delivered] = [next, received];
    const end = polls + 3;
    while (polls < end) await delay(POLL_MILLISECONDS);
}

const watch = () => watchAlerts(sources, Date.now(), POLL_MILLISECONDS);

test("records when an alert is pending, fires, is delivered and ends", async () => {
    const watched = await watch();
    await show({ "RedisDown/blue": "pending" });
    expect(watched.hasState("RedisDown", "pending")).toBe(true);
    expect(watched.hasState("RedisDown", "firing")).toBe(false);
    await show({ "RedisDown/blue": "firing" });
    await show({ "RedisDown/blue": "firing" }, ["RedisDown/green", "RedisDown/blue"]);
    expect(watched.hasState("RedisDown", "firing")).toBe(true);
    expect(watched.isNotified("RedisDown")).toBe(true);
    expect(watched.isResolved("RedisDown")).toBe(false);
    // Unknown is not ended.
    await show(undefined);
    expect(watched.isResolved("RedisDown")).toBe(false);
    await show({});
    expect(watched.isResolved("RedisDown")).toBe(true);
    const [record, ...others] = watched.records(["RedisDown"]);
    await watched.stop();
    expect(others).toEqual([]);
    expect(record).toMatchObject({
        alert: "RedisDown",
        labels: { colour: "blue" },
        expected: true,
    });
    const { pendingAt = NaN, firingAt = NaN, notifiedAt = NaN, resolvedAt = NaN } = record ?? {};
    expect(pendingAt).toBeLessThan(firingAt);
    expect(firingAt).toBeLessThan(notifiedAt);
    expect(notifiedAt).toBeLessThan(resolvedAt);
});

test("without an answer of Prometheus after the fault, its alerts are unknown, not none", async () => {
    const watched = await watch();
    await show(undefined);
    const fault = Date.now();
    await show(undefined);
    expect(watched.records([])).toEqual([]);
    expect(await findUnknownAlerts(watched, fault, 0)).toMatch(/not known which alerts fired/);
    await show({});
    expect(await findUnknownAlerts(watched, fault, 0)).toBeUndefined();
    await watched.stop();
});

test("leaves out what was there before, what never fired, and Watchdog", async () => {
    state = { "ServiceDown/blue": "firing" };
    const watched = await watch();
    await show({
        "ServiceDown/blue": "firing",
        "ServiceDown/green": "firing",
        "ResponseTimeHigh/blue": "pending",
        "Watchdog/": "firing",
    });
    const records = watched.records([]);
    await watched.stop();
    expect(records).toMatchObject([
        { alert: "ServiceDown", labels: { colour: "green" }, expected: false },
    ]);
});

test("an alert that fires again is not resolved", async () => {
    const watched = await watch();
    await show({ "RedisDown/blue": "firing" });
    await show({});
    await show({ "RedisDown/blue": "firing" });
    expect(watched.isResolved("RedisDown")).toBe(false);
    await watched.stop();
});

test("reads the `for` of a rule; of an unknown one nothing", async () => {
    state = { "RedisDown/blue": "firing" };
    expect(await readForSeconds(sources, "RedisDown")).toBe(60);
    expect(await readForSeconds(sources, "Other")).toBeUndefined();
});
