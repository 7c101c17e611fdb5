/** Destination of a notification. A secret URL is in a file, mounted from a Secret. */
export type Destination = { readonly url: string } | { readonly urlFile: string };

/** Arguments of `alertmanagerConfig`. */
export interface AlertmanagerConfigArgs {
    /**
     * Slack channels, and the path of the file with the webhook's URL, which is a secret.
     * @default none
     */
    readonly slack?:
        | {
              /** Absolute path of the file. */
              readonly urlFile: string;
              /** Channel for alerts. */
              readonly channel: string;
              /**
               * Channel for critical alerts.
               * @default channel
               */
              readonly criticalChannel?: string | undefined;
          }
        | undefined;
    /**
     * Webhook for every notification, as JSON. `urlFile` needs Alertmanager 0.26.
     * @default none
     */
    readonly webhook?: Destination | undefined;
    /**
     * Webhook for the Watchdog alert, a dead man's switch.
     * @default none
     */
    readonly watchdog?: Destination | undefined;
}

/** Configuration of Alertmanager, to be serialised as YAML or JSON. */
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
    /** Discards alerts that nobody is notified of. */
    none: "null",
    /** Receives the Watchdog alert. */
    watchdog: "watchdog",
    critical: "critical",
    standard: "standard",
} as const;

/** @throws Error where a URL or a path cannot be one. */
export function alertmanagerConfig(args: AlertmanagerConfigArgs = {}): AlertmanagerConfig {
    check(args);
    return { route: route(), inhibit_rules: inhibitions(), receivers: receivers(args) };
}

/** Critical alerts are sent within ten seconds and repeated every hour; others are grouped for longer. */
function route(): Route {
    return {
        receiver: RECEIVERS.standard,
        group_by: ["alertname", "service", "colour"],
        group_wait: "30s",
        group_interval: "5m",
        repeat_interval: "12h",
        routes: [
            {
                // The receiver alerts when several of these intervals pass without a notification.
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
 * Mutes alerts that follow from another one. Labels that both sides lack compare as equal, so every alert that the
 * matchers select has each of these labels (a test checks it).
 */
function inhibitions(): InhibitRule[] {
    return [
        {
            source_matchers: ['severity="critical"'],
            target_matchers: ['severity=~"warning|info"'],
            equal: ["service", "namespace", "topic"],
        },
        // A colour that is down is also slow, fails and misses.
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
        // Both colours share one Redis; without it each pod hits only its own memory.
        {
            source_matchers: ['alertname="RedisDown"'],
            target_matchers: ['alertname=~"EmbeddingCacheHitRate(Low|Critical)"'],
            equal: [],
        },
    ];
}

function receivers({ slack, webhook, watchdog }: AlertmanagerConfigArgs): Receiver[] {
    const receiver = (name: string, channel: string | undefined): Receiver => ({
        name,
        ...(slack && channel !== undefined && { slack_configs: [slackTo(slack.urlFile, channel)] }),
        ...(webhook && { webhook_configs: [post(webhook)] }),
    });
    return [
        { name: RECEIVERS.none },
        {
            name: RECEIVERS.watchdog,
            // A resolved notification would count as a sign of life.
            ...(watchdog && { webhook_configs: [{ ...post(watchdog), send_resolved: false }] }),
        },
        receiver(RECEIVERS.critical, slack?.criticalChannel ?? slack?.channel),
        receiver(RECEIVERS.standard, slack?.channel),
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
