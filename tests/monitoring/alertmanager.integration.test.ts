import { NAMESPACES } from "@property-search/contract";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { eventually } from "../../app/test/support/eventually.ts";
import {
    alertmanagerConfig,
    RECEIVERS,
    type AlertmanagerConfig,
    type AlertmanagerConfigArgs,
} from "../../components/monitoring/alertmanagerConfig.ts";
import { ruleFiles, type AlertingRule } from "../../components/monitoring/alerts/index.ts";
import {
    amtool,
    startReceiver,
    startAlertmanager,
    withConfig,
    type Alertmanager,
    type WebhookReceiver,
    type Labels,
} from "../support/monitoring/alertmanager.ts";

const SLACK = "https://hooks.example/secret";
const ALL: AlertmanagerConfigArgs = {
    slack: { urlFile: "/secrets/slack-url", channel: "#alerts", criticalChannel: "#pages" },
    webhook: { url: "http://receiver.example/" },
    watchdog: { url: "https://switch.example/" },
};
const alerts: readonly AlertingRule[] = Object.values(ruleFiles())
    .flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))
    .flatMap((rule) => ("alert" in rule ? [rule] : []));

/** The alert's own labels, with what its expression gives where that is not the same always. */
function labelsOf(name: string, given: Labels = {}): Labels {
    const rule = alerts.find(({ alert }) => alert === name);
    if (!rule) throw new Error(`there is no alert ${name}`);
    const plain = Object.entries(rule.labels).filter(([, value]) => !value.includes("{{"));
    return { alertname: name, ...Object.fromEntries(plain), ...given };
}

const blue = { colour: "blue", namespace: NAMESPACES.blue };
const green = { colour: "green", namespace: NAMESPACES.green };

describe("the configuration", () => {
    test.each<readonly [string, AlertmanagerConfigArgs]>([
        ["without receivers", {}],
        ["with Slack alone", { slack: { urlFile: "/s", channel: "#a" } }],
        ["with a webhook alone", { webhook: { url: "http://receiver:8080/" } }],
        ["with all of them", ALL],
    ])("is valid to amtool %s", async (_, args) => {
        const { ok, output } = await withConfig(alertmanagerConfig(args), (file) =>
            amtool("check-config", file),
        );
        expect({ ok, output }).toEqual({ ok: true, output: expect.stringContaining("SUCCESS") });
    });

    test("names Slack's URL by its file only", () => {
        const text = JSON.stringify(alertmanagerConfig(ALL));
        expect(text).toContain('"api_url_file":"/secrets/slack-url"');
        expect(text).not.toMatch(/"api_url"|slack_api_url/);
    });

    test("keeps a webhook's URL in a file where it is a secret", () => {
        const config = alertmanagerConfig({
            webhook: { urlFile: "/secrets/webhook" },
            watchdog: { urlFile: "/secrets/watchdog" },
        });
        const byName = new Map(config.receivers.map((one) => [one.name, one.webhook_configs]));
        expect(byName.get(RECEIVERS.standard)).toEqual([
            { url_file: "/secrets/webhook", send_resolved: true },
        ]);
        expect(byName.get(RECEIVERS.watchdog)).toEqual([
            { url_file: "/secrets/watchdog", send_resolved: false },
        ]);
    });

    test("pages in seconds and hourly, and gathers the rest", () => {
        const { route } = alertmanagerConfig(ALL);
        expect(route).toMatchObject({
            group_by: ["alertname", "service", "colour"],
            group_wait: "30s",
            group_interval: "5m",
            repeat_interval: "12h",
        });
        expect(route.routes?.find(({ receiver }) => receiver === RECEIVERS.critical)).toMatchObject(
            { group_wait: "10s", repeat_interval: "1h" },
        );
        expect(route.routes?.find(({ receiver }) => receiver === RECEIVERS.watchdog)).toMatchObject(
            { repeat_interval: "1m" },
        );
    });

    test("sends resolutions, except of the Watchdog", () => {
        for (const receiver of alertmanagerConfig(ALL).receivers) {
            for (const one of [
                ...(receiver.slack_configs ?? []),
                ...(receiver.webhook_configs ?? []),
            ]) {
                expect(one).toMatchObject({ send_resolved: receiver.name !== RECEIVERS.watchdog });
            }
        }
    });

    test.each<readonly [string, AlertmanagerConfigArgs, string]>([
        [
            "Slack's URL itself",
            { slack: { urlFile: SLACK, channel: "#a" } },
            `slack.urlFile is "${SLACK}"; allowed: an absolute path`,
        ],
        ["no channel", { slack: { urlFile: "/s", channel: "" } }, 'slack.channel is ""; allowed'],
        ["no URL", { webhook: { url: "receiver" } }, 'webhook.url is "receiver"; allowed: an http'],
        [
            "another protocol",
            { watchdog: { url: "ftp://a" } },
            'watchdog.url is "ftp://a"; allowed',
        ],
        ["a relative file", { watchdog: { urlFile: "a" } }, 'watchdog.urlFile is "a"; allowed'],
    ])("rejects %s", (_, args, message) => {
        expect(() => alertmanagerConfig(args)).toThrow(message);
    });
});

describe("routes", () => {
    const expected = ({ alert, labels }: AlertingRule): string => {
        if (alert === "Watchdog") return RECEIVERS.watchdog;
        if (labels.severity === "critical") return RECEIVERS.critical;
        return labels.severity === "warning" ? RECEIVERS.standard : RECEIVERS.none;
    };

    test.each(alerts.map((rule) => [rule.alert, expected(rule), rule] as const))(
        "%s goes to %s",
        async (name, receiver, { labels }) => {
            const { ok, output } = await withConfig(alertmanagerConfig(ALL), (file) =>
                amtool(
                    "config",
                    "routes",
                    "test",
                    `--config.file=${file}`,
                    `--verify.receivers=${receiver}`,
                    `alertname=${name}`,
                    `severity=${labels.severity ?? ""}`,
                    "service=any",
                ),
            );
            expect({ ok, output }).toEqual({ ok: true, output: expect.stringContaining(receiver) });
        },
    );

    test("an unknown severity is sent like a warning", async () => {
        const { ok } = await withConfig(alertmanagerConfig(ALL), (file) =>
            amtool(
                "config",
                "routes",
                "test",
                `--config.file=${file}`,
                `--verify.receivers=${RECEIVERS.standard}`,
                "severity=odd",
            ),
        );
        expect(ok).toBe(true);
    });
});

describe("inhibitions", () => {
    let alertmanager: Alertmanager;

    beforeAll(async () => {
        alertmanager = await startAlertmanager(alertmanagerConfig());
    });
    afterAll(async () => {
        await alertmanager.stop();
    });

    // What every alert carries is asserted of each one as it fires, in alerts.test.ts.
    test("compare only labels that both sides have", () => {
        for (const { source_matchers, target_matchers, equal } of alertmanagerConfig()
            .inhibit_rules) {
            const beyond = equal.filter(
                (label) => !["service", "namespace", "topic"].includes(label),
            );
            if (beyond.length === 0) continue;
            expect(beyond).toEqual(["colour"]);
            expect(source_matchers).toEqual(['alertname="ServiceDown"']);
            expect(target_matchers).toContain('service="embedding-service"');
        }
    });

    const down = labelsOf("ServiceDown", blue);
    const redisDown = labelsOf("RedisDown", { instance: "redis-0:6379" });
    const cases: readonly (readonly [string, Labels, Labels, boolean])[] = [
        [
            "a page mutes the warning of the same trouble",
            labelsOf("EmbeddingCacheHitRateCritical", blue),
            labelsOf("EmbeddingCacheHitRateLow", blue),
            true,
        ],
        [
            "but not that of the other colour",
            labelsOf("EmbeddingCacheHitRateCritical", blue),
            labelsOf("EmbeddingCacheHitRateLow", green),
            false,
        ],
        [
            "nor another trouble's",
            labelsOf("EmbeddingCacheHitRateCritical", blue),
            labelsOf("ResponseTimeHigh", blue),
            false,
        ],
        [
            "a warning mutes nothing",
            labelsOf("EmbeddingCacheHitRateLow", blue),
            labelsOf("EmbeddingCacheHitRateCritical", blue),
            false,
        ],
        ["a colour that is down is slow as well", down, labelsOf("ResponseTimeHigh", blue), true],
        ["and fails", down, labelsOf("EmbeddingErrorRatioHigh", blue), true],
        ["and lacks pods", down, labelsOf("EmbeddingPodsUnavailable", blue), true],
        [
            "and cannot be scraped",
            down,
            labelsOf("PrometheusTargetDown", {
                ...blue,
                service: "embedding-service",
                job: "embedding-service",
            }),
            true,
        ],
        ["the other colour is not", down, labelsOf("EmbeddingErrorRatioHigh", green), false],
        ["the other colour's death is its own", down, labelsOf("ServiceDown", green), false],
        [
            "both together burn their budget for the same reason",
            down,
            labelsOf("EmbeddingAvailabilityBurnFast"),
            true,
        ],
        ["what was saved is another matter", down, labelsOf("CostSavingsTargetMissed"), false],
        ["the Gateway has no backend", down, labelsOf("GatewayErrorRatioHigh"), true],
        ["Redis is another matter", down, redisDown, false],
        [
            "without Redis pods do without Redis",
            redisDown,
            labelsOf("EmbeddingRedisUnreachable", { colour: "blue" }),
            true,
        ],
        [
            "and cannot keep what they make",
            redisDown,
            labelsOf("EmbeddingRedisWritesDropped", { colour: "green" }),
            true,
        ],
        ["and hit less", redisDown, labelsOf("EmbeddingCacheHitRateCritical", green), true],
        [
            "one node's death is not another's",
            redisDown,
            labelsOf("RedisDown", { instance: "redis-1:6379" }),
            false,
        ],
        [
            "what the upstream does is another matter",
            redisDown,
            labelsOf("EmbeddingUpstreamFailing", blue),
            false,
        ],
        [
            "a page for the weekly error budget mutes its ticket",
            labelsOf("EmbeddingLatencyBurnFast"),
            labelsOf("EmbeddingLatencyBurnSlow"),
            true,
        ],
        [
            "but not the other objective's",
            labelsOf("EmbeddingLatencyBurnFast"),
            labelsOf("EmbeddingAvailabilityBurnSlow"),
            false,
        ],
        [
            "one certificate's end does not hide another's",
            labelsOf("CertificateExpiryCritical", { topic: "certificate one", certificate: "one" }),
            labelsOf("CertificateExpiresSoon", { topic: "certificate two", certificate: "two" }),
            false,
        ],
        [
            "it mutes the warning of its own",
            labelsOf("CertificateExpiryCritical", { topic: "certificate one", certificate: "one" }),
            labelsOf("CertificateExpiresSoon", { topic: "certificate one", certificate: "one" }),
            true,
        ],
        ["nothing mutes the Watchdog", down, labelsOf("Watchdog"), false],
    ];

    test.each(cases)("%s", async (_, source, target, muted) => {
        // By which one sees that the source is known, before the target counts as not muted.
        const control = { ...source, alertname: "Control", severity: "warning" };
        const all = [source, target, control];
        await alertmanager.post(all.map((labels) => ({ labels })));
        const mutes = (labels: Labels) => async () =>
            (await alertmanager.mutedBy(labels)).includes(source.alertname ?? "");
        if (source.severity === "critical")
            await eventually("the control is muted", mutes(control));
        if (muted) await eventually("the target is muted", mutes(target));
        else expect(await alertmanager.mutedBy(target)).toEqual([]);
        const endsAt = new Date(Date.now() - 1000).toISOString();
        await alertmanager.post(all.map((labels) => ({ labels, endsAt })));
    });
});

describe("notifications over HTTP", () => {
    let receiver: WebhookReceiver;
    let alertmanager: Alertmanager;

    beforeAll(async () => {
        receiver = await startReceiver();
        alertmanager = await startAlertmanager(
            hurried(
                alertmanagerConfig({
                    webhook: { url: `${receiver.url}/alerts` },
                    watchdog: { url: `${receiver.url}/watchdog` },
                }),
            ),
        );
    });
    afterAll(async () => {
        await alertmanager.stop();
        await receiver.stop();
    });

    const of = (path: string, name: string) =>
        receiver.received.filter(
            (one) =>
                one.path === path && one.alerts.some(({ labels }) => labels.alertname === name),
        );

    test.each(["ServiceDown", "EmbeddingCacheHitRateLow"])(
        "%s is sent, and so is its resolution",
        async (name) => {
            const labels = labelsOf(name, blue);
            await alertmanager.post([{ labels }]);
            await eventually("it fires", () => of("/alerts", name).length === 1);
            await alertmanager.post([{ labels, endsAt: new Date().toISOString() }]);
            await eventually("it is resolved", () => of("/alerts", name).length === 2);
            expect(of("/alerts", name).map(({ status }) => status)).toEqual(["firing", "resolved"]);
        },
    );

    test("the Watchdog is sent to its switch repeatedly, and to no other receiver", async () => {
        await alertmanager.post([{ labels: labelsOf("Watchdog") }]);
        await eventually("the Watchdog repeats", () => of("/watchdog", "Watchdog").length >= 3);
        expect(of("/alerts", "Watchdog")).toEqual([]);
    });

    test("severity info is not sent", async () => {
        const labels = labelsOf("RedisMemoryNearLimit");
        await alertmanager.post([{ labels }]);
        const marker = labelsOf("RedisEvicting", { instance: "marker" });
        await alertmanager.post([{ labels: marker }]);
        await eventually("it fires", () => of("/alerts", "RedisEvicting").length === 1);
        expect(
            receiver.received.flatMap((one) => one.alerts.map((a) => a.labels)),
        ).not.toContainEqual(labels);
    });
});

/** The same in all but its waits, which are fractions of a second. */
function hurried(config: AlertmanagerConfig): AlertmanagerConfig {
    const waits = { group_wait: "100ms", group_interval: "200ms" };
    const repeat = (span: string | undefined) => ({
        repeat_interval: span === "1m" ? "200ms" : "1h",
    });
    const { route } = config;
    return {
        ...config,
        route: {
            ...route,
            ...waits,
            ...repeat(route.repeat_interval),
            routes: (route.routes ?? []).map((one) => ({
                ...one,
                ...waits,
                ...repeat(one.repeat_interval),
            })),
        },
    };
}
