/** Where a notification goes. A URL that is itself a secret stands in a file, mounted from a Secret. */
export type Destination = { readonly url: string } | { readonly urlFile: string };

export interface AlertmanagerConfigArgs {
    /** Slack's webhook by the path of its file, since whoever knows the URL may post. Default: no Slack. */
    readonly slack?:
        | {
              readonly urlFile: string;
              readonly channel: string;
              /** Default: `channel`. */
              readonly criticalChannel?: string | undefined;
          }
        | undefined;
    /** Gets every notification as JSON. Default: none. `urlFile` needs Alertmanager 0.26. */
    readonly webhook?: Destination | undefined;
    /** The dead man's switch: it calls when the Watchdog stops. Default: nobody watches. */
    readonly watchdog?: Destination | undefined;
}

/** Alertmanager's configuration as data, to be written as YAML or JSON. */
export interface AlertmanagerConfig {
    readonly route: Route;
    readonly inhibit_rules: readonly InhibitRule[];
    readonly receivers: readonly Receiver[];
}

interface Route {
    readonly receiver: string;
    readonly matchers?: readonly string[];
    readonly group_by?: readonly string[];
    readonly group_wait?: string;
    readonly group_interval?: string;
    readonly repeat_interval?: string;
    readonly routes?: readonly Route[];
}

interface InhibitRule {
    readonly source_matchers: readonly string[];
    readonly target_matchers: readonly string[];
    readonly equal: readonly string[];
}

interface Receiver {
    readonly name: string;
    readonly slack_configs?: readonly object[];
    readonly webhook_configs?: readonly object[];
}

export const RECEIVERS = {
    /** Takes what nobody needs to be told. */
    none: "null",
    /** The dead man's switch. */
    watchdog: "watchdog",
    critical: "critical",
    standard: "standard",
} as const;

/** @throws Error where a URL or a path cannot be one. */
export function alertmanagerConfig(args: AlertmanagerConfigArgs = {}): AlertmanagerConfig {
    check(args);
    return { route: route(), inhibit_rules: inhibitions(), receivers: receivers(args) };
}

/** A page is out in ten seconds and comes again every hour; the rest waits for its like. */
function route(): Route {
    return {
        receiver: RECEIVERS.standard,
        group_by: ["alertname", "service", "colour"],
        group_wait: "30s",
        group_interval: "5m",
        repeat_interval: "12h",
        routes: [
            {
                // The switch calls when nothing has come for a few of these.
                matchers: ['alertname="Watchdog"'],
                receiver: RECEIVERS.watchdog,
                group_wait: "0s",
                group_interval: "1m",
                repeat_interval: "1m",
            },
            {
                matchers: ['severity="critical"'],
                receiver: RECEIVERS.critical,
                group_wait: "10s",
                group_interval: "1m",
                repeat_interval: "1h",
            },
            { matchers: ['severity=~"info|none"'], receiver: RECEIVERS.none },
        ],
    };
}

/**
 * What follows from another trouble is not told. Labels that both sides lack compare as equal, so each
 * of these labels stands on every alert that the matchers choose (a test sees to it).
 */
function inhibitions(): InhibitRule[] {
    return [
        {
            source_matchers: ['severity="critical"'],
            target_matchers: ['severity=~"warning|info"'],
            equal: ["service", "namespace", "topic"],
        },
        // A colour that is gone is slow, fails and misses as well.
        {
            source_matchers: ['alertname="ServiceDown"'],
            target_matchers: [
                'service="embedding-service"',
                'alertname!="ServiceDown"',
                'colour=~"blue|green"',
            ],
            equal: ["service", "namespace", "colour"],
        },
        // It inhibits alerts on both colours together too, except on cost, which has another cause.
        {
            source_matchers: ['alertname="ServiceDown"'],
            target_matchers: [
                'service="embedding-service"',
                'colour="all"',
                'alertname!~"ServiceDown|CostSavingsTargetMissed"',
            ],
            equal: ["service"],
        },
        {
            source_matchers: ['alertname="ServiceDown"'],
            target_matchers: ['alertname="GatewayErrorRatioHigh"'],
            equal: [],
        },
        {
            source_matchers: ['alertname="RedisDown"'],
            target_matchers: ['service="redis"', 'alertname!="RedisDown"'],
            equal: ["service", "namespace"],
        },
        // Both colours share one Redis, and without it each pod hits only what it holds itself.
        {
            source_matchers: ['alertname="RedisDown"'],
            target_matchers: ['alertname=~"EmbeddingCacheHitRate(Low|Critical)"'],
            equal: [],
        },
    ];
}

function receivers({ slack, webhook, watchdog }: AlertmanagerConfigArgs): Receiver[] {
    const told = (name: string, channel: string | undefined): Receiver => ({
        name,
        ...(slack && channel !== undefined && { slack_configs: [slackTo(slack.urlFile, channel)] }),
        ...(webhook && { webhook_configs: [post(webhook)] }),
    });
    return [
        { name: RECEIVERS.none },
        {
            name: RECEIVERS.watchdog,
            // Its resolution would be the sign of life that it must not give.
            ...(watchdog && { webhook_configs: [{ ...post(watchdog), send_resolved: false }] }),
        },
        told(RECEIVERS.critical, slack?.criticalChannel ?? slack?.channel),
        told(RECEIVERS.standard, slack?.channel),
    ];
}

function post(destination: Destination) {
    return "url" in destination
        ? { url: destination.url, send_resolved: true }
        : { url_file: destination.urlFile, send_resolved: true };
}

function slackTo(urlFile: string, channel: string) {
    return {
        api_url_file: urlFile,
        channel,
        send_resolved: true,
        color: '{{ if eq .Status "firing" }}{{ if eq .CommonLabels.severity "critical" }}danger{{ else }}warning{{ end }}{{ else }}good{{ end }}',
        title: '{{ .Status | toUpper }}{{ if eq .Status "firing" }} ({{ .Alerts.Firing | len }}){{ end }}: {{ .CommonLabels.alertname }}',
        text: "{{ range .Alerts }}*{{ .Annotations.summary }}*\n{{ .Annotations.description }}\nWhat to do: {{ .Annotations.runbook_url }}\n{{ end }}",
    };
}

function check({ slack, webhook, watchdog }: AlertmanagerConfigArgs): void {
    const path = (name: string, value: string) => {
        if (value.startsWith("/")) return;
        throw new Error(`${name} is ${JSON.stringify(value)}; allowed: an absolute path`);
    };
    if (slack) {
        path("slack.urlFile", slack.urlFile);
        if (slack.channel === "") {
            throw new Error('slack.channel is ""; allowed: a channel, such as #alerts');
        }
    }
    for (const [name, destination] of Object.entries({ webhook, watchdog })) {
        if (!destination) continue;
        if ("urlFile" in destination) path(`${name}.urlFile`, destination.urlFile);
        else if (!/^https?:\/\//.test(destination.url) || !URL.canParse(destination.url)) {
            throw new Error(
                `${name}.url is ${JSON.stringify(destination.url)}; allowed: an http or https URL`,
            );
        }
    }
}
