import type { KubernetesObject, V1Secret } from "@kubernetes/client-node";
import {
    GATEWAY_NAME,
    NAMESPACES,
    PUBLIC_URL_ANNOTATION,
    type Colour,
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

/** Placeholder host of the public URL if the Gateway serves any host name. */
const ANY_HOST = "HOST";

/** Public URL of the stack's Gateway, and its address for this machine. */
export interface GatewayEndpoint {
    /** Base URL with the configured host name, without a trailing slash. */
    readonly url: string;
    /** Host and port of connections. */
    readonly address: { readonly host: string; readonly port: number };
    /** PEM of CAs that are trusted in addition to Node's. */
    readonly ca: string | undefined;
}

/**
 * Finds the stack's Gateway. Connections go to GATEWAY_URL if set, else to the address in the Gateway's status; requests use
 * the configured host name in TLS and HTTP. Trusted CAs are Node's, those of the file GATEWAY_CA_FILE, and the one that
 * cert-manager stores with the certificate.
 *
 * @throws ClusterError if there is no Gateway, or its address is unknown
 */
export async function findGateway(cluster: Cluster): Promise<GatewayEndpoint> {
    const gateway = await readIfExists<Gateway>(cluster, GATEWAY);
    const given = urlFromEnvironment();
    const published = publicUrl(gateway);
    if (given) return createEndpoint(cluster, gateway, published, given);
    if (!gateway)
        throw new ClusterError(`Gateway ${NAMESPACES.edge}/${GATEWAY_NAME} does not exist`);
    const address = gateway.status?.addresses?.[0]?.value;
    if (!address || !published) {
        throw new ClusterError(
            `Gateway ${GATEWAY_NAME} reports no address; set GATEWAY_URL=http://host:port`,
        );
    }
    const found = new URL(published);
    found.hostname = address.includes(":") ? `[${address}]` : address;
    return createEndpoint(cluster, gateway, published, found);
}

/** Base URL of the stack's Gateway, without a trailing slash. */
export async function gatewayUrl(cluster: Cluster): Promise<string> {
    return (await findGateway(cluster)).url;
}

/** @param to address and scheme of connections */
async function createEndpoint(
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
        ca: isSecure ? await readTrustedCas(cluster, gateway) : undefined,
    };
}

function urlFromEnvironment(): URL | undefined {
    const given = process.env.GATEWAY_URL;
    if (!given) return undefined;
    if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return new URL(given);
    throw new ClusterError(
        `GATEWAY_URL is "${given}"; allowed: http://host:port or https://host:port`,
    );
}

/** URL that the program has written, or, for a Gateway of an older program, that of its safest listener. */
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

async function readTrustedCas(
    cluster: Cluster,
    gateway: Gateway | undefined,
): Promise<string | undefined> {
    const file = process.env.GATEWAY_CA_FILE;
    const parts = [file ? await readCa(file) : undefined, await readIssuerCa(cluster, gateway)];
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

/** CA of a private issuer; without permission to read the Secret, only public CAs are trusted. */
async function readIssuerCa(
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
 * Reads the current weights from the route on the cluster.
 *
 * @throws ClusterError if the route does not exist or its weights are invalid
 */
export async function readLiveWeights(cluster: Cluster): Promise<Weights> {
    const route = await readIfExists<Route>(cluster, ROUTE);
    if (!route) throw new ClusterError(`${keyOf(ROUTE)} does not exist`);
    return routeWeights(route);
}

/** The colour with more traffic; blue, if both have the same. @throws ClusterError as readLiveWeights */
export async function readActiveColour(cluster: Cluster): Promise<Colour> {
    const { blue, green } = await readLiveWeights(cluster);
    return green > blue ? "green" : "blue";
}
