import type { KubernetesObject, V1Secret } from "@kubernetes/client-node";
import {
    GATEWAY_NAME,
    NAMESPACES,
    PUBLIC_URL_ANNOTATION,
    type Weights,
} from "@property-search/contract";
import { readFile } from "node:fs/promises";
import { ClusterError, keyOf, readIfExists, statusOf, type Cluster } from "../cluster/connect.ts";
import { ROUTE, routeWeights, type Route } from "../shared/route.ts";

interface Listener {
    readonly port: number;
    readonly protocol: string;
    readonly hostname?: string;
    readonly tls?: { readonly certificateRefs?: readonly SecretReference[] };
}

interface SecretReference {
    readonly name: string;
    readonly namespace?: string;
}

interface Gateway extends KubernetesObject {
    spec?: { listeners?: Listener[] };
    status?: { addresses?: { value: string }[] };
}

const GATEWAY = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    namespace: NAMESPACES.edge,
    name: GATEWAY_NAME,
};

/** A host of the public URL where the Gateway serves any name. */
const ANY_HOST = "HOST";

/** The stack's Gateway as its clients have it, and where this machine finds it. */
export interface GatewayEndpoint {
    /** Base URL under the configured host name, without a slash at the end. */
    readonly url: string;
    /** Host and port that connections go to. */
    readonly address: { readonly host: string; readonly port: number };
    /** PEM of authorities that are trusted beside those of Node; undefined: none. */
    readonly ca: string | undefined;
}

/**
 * Finds the stack's Gateway. Connections go to GATEWAY_URL if set, else to the address in the Gateway's status;
 * requests name the configured host, in TLS and in HTTP, whatever the address is. Trusted are Node's authorities,
 * those of the file GATEWAY_CA_FILE, and the authority that cert-manager keeps beside the certificate.
 *
 * @throws ClusterError when there is no Gateway, or nothing says where it is.
 */
export async function findGateway(cluster: Cluster): Promise<GatewayEndpoint> {
    const gateway = await readIfExists<Gateway>(cluster, GATEWAY);
    const given = givenUrl();
    const published = publicUrl(gateway);
    if (given) return endpoint(cluster, gateway, published, given);
    if (!gateway) throw new ClusterError(`there is no Gateway ${NAMESPACES.edge}/${GATEWAY_NAME}`);
    const address = gateway.status?.addresses?.[0]?.value;
    if (!address || !published) {
        throw new ClusterError(
            `Gateway ${GATEWAY_NAME} reports no address; say where it is: GATEWAY_URL=http://host:port`,
        );
    }
    const found = new URL(published);
    found.hostname = address.includes(":") ? `[${address}]` : address;
    return endpoint(cluster, gateway, published, found);
}

/** Base URL of the stack's Gateway, without a slash at the end. */
export async function gatewayUrl(cluster: Cluster): Promise<string> {
    return (await findGateway(cluster)).url;
}

/** @param to where connections go, by its scheme too */
async function endpoint(
    cluster: Cluster,
    gateway: Gateway | undefined,
    published: URL | undefined,
    to: URL,
): Promise<GatewayEndpoint> {
    const isSecure = to.protocol === "https:";
    const url = new URL(to);
    if (published && published.hostname !== ANY_HOST.toLowerCase()) {
        url.hostname = published.hostname;
        if (published.protocol === to.protocol) url.port = published.port;
    }
    return {
        url: url.origin,
        address: {
            host: to.hostname.replace(/^\[|\]$/g, ""),
            port: Number(to.port) || (isSecure ? 443 : 80),
        },
        ca: isSecure ? await trusted(cluster, gateway) : undefined,
    };
}

function givenUrl(): URL | undefined {
    const given = process.env.GATEWAY_URL;
    if (!given) return undefined;
    if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return new URL(given);
    throw new ClusterError(
        `GATEWAY_URL is "${given}"; allowed: http://host:port or https://host:port`,
    );
}

/** As the program has written it, or, of a Gateway of an earlier one, by its safest listener. */
function publicUrl(gateway: Gateway | undefined): URL | undefined {
    const written = gateway?.metadata?.annotations?.[PUBLIC_URL_ANNOTATION];
    if (written !== undefined && URL.canParse(written)) return new URL(written);
    const listener = safestListener(gateway);
    if (!listener) return undefined;
    const scheme = listener.protocol === "HTTPS" ? "https" : "http";
    return new URL(`${scheme}://${listener.hostname ?? ANY_HOST}:${listener.port}`);
}

function safestListener(gateway: Gateway | undefined): Listener | undefined {
    const listeners = gateway?.spec?.listeners ?? [];
    return listeners.find(({ protocol }) => protocol === "HTTPS") ?? listeners[0];
}

async function trusted(
    cluster: Cluster,
    gateway: Gateway | undefined,
): Promise<string | undefined> {
    const file = process.env.GATEWAY_CA_FILE;
    const parts = [file ? await readCa(file) : undefined, await issuersCa(cluster, gateway)];
    return parts.filter((part) => part !== undefined).join("\n") || undefined;
}

async function readCa(file: string): Promise<string> {
    const text = await readFile(file, "utf8").catch((error: unknown) => {
        throw new ClusterError(
            `GATEWAY_CA_FILE is "${file}", which cannot be read: ${String(error)}`,
        );
    });
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    throw new ClusterError(`GATEWAY_CA_FILE is "${file}"; allowed: a file of certificates as PEM`);
}

/** The authority of a private issuer; who may not read the Secret trusts the public ones. */
async function issuersCa(
    cluster: Cluster,
    gateway: Gateway | undefined,
): Promise<string | undefined> {
    const [reference] = safestListener(gateway)?.tls?.certificateRefs ?? [];
    if (!reference) return undefined;
    const { name, namespace = NAMESPACES.edge } = reference;
    try {
        const found = { apiVersion: "v1", kind: "Secret", namespace, name };
        const ca = (await readIfExists<V1Secret>(cluster, found))?.data?.["ca.crt"];
        return ca === undefined || ca === "" ? undefined : Buffer.from(ca, "base64").toString();
    } catch (error) {
        if (statusOf(error) === 403) return undefined;
        throw error;
    }
}

/**
 * The weights in force, read from the route on the cluster: its rule with both colours' Services.
 *
 * @throws ClusterError when there is no such route or its weights break the rule.
 */
export async function liveWeights(cluster: Cluster): Promise<Weights> {
    const route = await readIfExists<Route>(cluster, ROUTE);
    if (!route) throw new ClusterError(`there is no ${keyOf(ROUTE)}`);
    return routeWeights(route);
}
