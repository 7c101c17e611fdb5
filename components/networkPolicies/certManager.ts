import { LABELS } from "@property-search/contract";
import type { GatewayProxies } from "../edge/controllers.ts";
import { gatewayPeers } from "./edge.ts";
import {
    API_SERVER_PORTS,
    allowEgress,
    allowEgressTo,
    cidrPeer,
    EXTERNAL_PEERS,
    tcp,
    udp,
    type Destination,
    type PolicySpec,
} from "./policies.ts";

/** Connections of the stack's own cert-manager. */
export interface CertManagerFlows {
    /** Address ranges of the API server. Empty: any address. */
    readonly apiServerCidrs: readonly string[];
    /** The ACME server. Empty: certificates are signed without one. */
    readonly acme: readonly Destination[];
    /** Challenge by which ACME validates the host name. Undefined: the issuer uses none. */
    readonly challenge: "http01" | "dns01" | undefined;
    /** Port of the gateway for clients, and for the self-check before a challenge. */
    readonly publicHttpPort: number;
}

const WEBHOOK_PORT = 10250;
const DNS_PORTS = [tcp(53), udp(53)];

const CONTROLLER = { [LABELS.component]: "controller" };
const WEBHOOK = { [LABELS.component]: "webhook" };

/** Policies of the namespace of the stack's own cert-manager. */
export function certManagerPolicies(
    gateway: GatewayProxies,
    { apiServerCidrs, acme, challenge, publicHttpPort }: CertManagerFlows,
): Record<string, PolicySpec> {
    const apiServer = apiServerCidrs.length > 0 ? apiServerCidrs.map(cidrPeer) : EXTERNAL_PEERS;
    return {
        "allow-api-server": allowEgress(apiServer, API_SERVER_PORTS),
        // The API server calls from an address that no selector matches: a node or a tunnel.
        "allow-webhook": {
            podSelector: { matchLabels: WEBHOOK },
            policyTypes: ["Ingress"],
            ingress: [{ ports: [tcp(WEBHOOK_PORT)] }],
        },
        ...(acme.length > 0 && { "allow-acme-server": allowEgressTo(acme, { outOf: CONTROLLER }) }),
        // cert-manager checks a challenge at the gateway before the ACME server does.
        ...(challenge === "http01" && {
            "allow-gateway": allowEgress(
                gatewayPeers(gateway),
                [tcp(gateway.podPorts[0])],
                CONTROLLER,
            ),
            "allow-public-gateway": allowEgress(EXTERNAL_PEERS, [tcp(publicHttpPort)], CONTROLLER),
        }),
        // cert-manager writes records by the provider's API and looks them up at the domain's name servers.
        ...(challenge === "dns01" && {
            "allow-name-servers": allowEgress(EXTERNAL_PEERS, DNS_PORTS, CONTROLLER),
            "allow-dns-provider": allowEgress(EXTERNAL_PEERS, [tcp(443)], CONTROLLER),
        }),
    };
}
