import { EXAMPLE_NAMESPACE, MONITORING_NAMES, LABELS, PORTS } from "@property-search/contract";
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

/** Connections of the example. */
export interface ExampleFlows {
    /** Where its URL of the service leads. Empty: to the gateway in the cluster alone. */
    readonly embeddings: readonly Destination[];
    /** The chat API. Empty: there is none. */
    readonly chat: readonly Destination[];
    /** Whether the stack's Prometheus scrapes it. */
    readonly scraped: boolean;
}

/**
 * Policies of the example's namespace, besides those of every namespace.
 *
 * @param gateway peers of the gateway, and the ports of its pods
 */
export function examplePolicies(
    { embeddings, chat, scraped }: ExampleFlows,
    { peers, ports }: { readonly peers: Peer[]; readonly ports: readonly number[] },
    scrapers: Peer,
): Record<string, PolicySpec> {
    return {
        "allow-gateway": allowIngress(peers, [tcp(PORTS.example)]),
        ...(scraped && { "allow-monitoring": allowIngress([scrapers], [tcp(PORTS.example)]) }),
        // Also with a public URL: in the cluster, its load balancer's address may lead to the gateway's pods at once.
        "allow-embeddings": allowEgress(peers, [...new Set(ports)].map(tcp)),
        ...(embeddings.length > 0 && { "allow-embeddings-url": allowEgressTo(embeddings) }),
        ...(chat.length > 0 && { "allow-chat": allowEgressTo(chat) }),
    };
}

/** Policy of proxies in the Gateway's namespace: the example is one of their backends. */
export function exampleEgress(podLabels: Readonly<Record<string, string>>): PolicySpec {
    return allowEgress([namespacePeer(EXAMPLE_NAMESPACE)], [tcp(PORTS.example)], podLabels);
}

/** Policy of the monitoring namespace: Prometheus scrapes the example. */
export function exampleScrapes(): PolicySpec {
    return allowEgress([namespacePeer(EXAMPLE_NAMESPACE)], [tcp(PORTS.example)], {
        [LABELS.name]: MONITORING_NAMES.prometheus,
    });
}
