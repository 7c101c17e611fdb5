import { setting, text } from "@property-search/contract/settings";
import { DNS_PRESETS } from "../../components/networkPolicies/dns.ts";
import { json, listOf } from "../allowed.ts";

const DNS_PRESET = text(
    (value) => Object.hasOwn(DNS_PRESETS, value),
    Object.keys(DNS_PRESETS).join(", "),
);

export const NETWORK = {
    "network.dns": setting(listOf(DNS_PRESET), ["kube-system", "node-local"])`
        DNS servers that network policies allow: any of kube-system (its pods), node-local (NodeLocal DNSCache),
        gke-cloud-dns, eks-auto-mode, aks-local-dns and openshift. docs/network.md lists them by cluster.`,
    "network.destinations": setting(json("object"), {})`
        Pods or addresses outside the stack that network policies allow connections to, by purpose: dns (in addition to
        network.dns), upstream, tracing, redis, remoteWrite, webhook, watchdog, acme, prometheus (an existing one, for
        insights), slack, and embeddings and chat (of the example). Each is a list of {namespace,
        podLabels, port}, where port is the pod's and not its Service's, or {cidr, port}. A purpose that is not listed
        may connect to any address outside the cluster, on the port of its URL. Required where that URL is a
        Service's.`,
};
