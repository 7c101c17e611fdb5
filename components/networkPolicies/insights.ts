import {
    COLOURS,
    INSIGHTS_NAMES,
    LABELS,
    MONITORING_NAMES,
    NAMESPACES,
    PORTS,
} from "@property-search/contract";
import {
    allowEgress,
    allowEgressTo,
    allowIngress,
    namespacePeer,
    tcp,
    type Destination,
    type Peer,
    type PolicySpec,
} from "./policies.ts";

/** Component label of all pods of insights. */
export const INSIGHTS_COMPONENT = "insights";

/** Connections of insights. */
export interface InsightsFlows {
    /** Whether the gateway serves the page. */
    readonly exposed: boolean;
    /** An existing Prometheus. Empty: that of the monitoring namespace. */
    readonly prometheus: readonly Destination[];
    /** Slack. Empty: nothing is sent to it. */
    readonly slack: readonly Destination[];
}

const ALL = { [LABELS.component]: INSIGHTS_COMPONENT };
const PAGE = { [LABELS.name]: INSIGHTS_NAMES.page };
const DAILY = { [LABELS.name]: INSIGHTS_NAMES.daily };
const podPeer = (matchLabels: Record<string, string>): Peer => ({ podSelector: { matchLabels } });
const PROMETHEUS_PODS = podPeer({ [LABELS.name]: MONITORING_NAMES.prometheus });

/** Policies of the monitoring namespace. @param gateway peers of the gateway */
export function insightsPolicies(
    { exposed, prometheus, slack }: InsightsFlows,
    gateway: readonly Peer[],
): Record<string, PolicySpec> {
    return {
        "allow-insights": allowIngress(
            [podPeer(DAILY), ...(exposed ? gateway : [])],
            [tcp(PORTS.insights)],
            PAGE,
        ),
        "allow-insights-queries":
            prometheus.length > 0
                ? allowEgressTo(prometheus, { outOf: ALL })
                : allowEgress([PROMETHEUS_PODS], [tcp(PORTS.prometheus)], ALL),
        "allow-insights-reports": allowEgress([podPeer(PAGE)], [tcp(PORTS.insights)], DAILY),
        "allow-insights-automation": allowEgress(
            COLOURS.map((colour) => namespacePeer(NAMESPACES[colour])),
            [tcp(PORTS.automation)],
            DAILY,
        ),
        ...(slack.length > 0 && { "allow-insights-slack": allowEgressTo(slack, { outOf: DAILY }) }),
    };
}

/** Policies of a colour's namespace: the daily run uses the automation port. */
export function automationPolicies(): Record<string, PolicySpec> {
    const daily = { ...namespacePeer(NAMESPACES.monitoring), ...podPeer(DAILY) };
    return { "allow-automation": allowIngress([daily], [tcp(PORTS.automation)]) };
}

/** Policies of proxies in the Gateway's namespace: the page is one of their backends. */
export function pageEgress(podLabels: Readonly<Record<string, string>>): PolicySpec {
    const page = { ...namespacePeer(NAMESPACES.monitoring), ...podPeer(PAGE) };
    return allowEgress([page], [tcp(PORTS.insights)], podLabels);
}
