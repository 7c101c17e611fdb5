import type { KubernetesObject } from "@kubernetes/client-node";
import { readIfExists, statusOf, type Cluster } from "../../cluster/connect.ts";

/** The release that the definitions of a group come from, as one of them says it. */
interface Release {
    readonly definition: string;
    /** A label or an annotation. */
    readonly key: string;
    /** Oldest release that has all fields in use. */
    readonly oldest: readonly [major: number, minor: number];
}

interface Definition extends KubernetesObject {
    readonly spec?: { readonly versions: readonly { readonly name: string; schema?: object }[] };
}

interface HttpRoute extends KubernetesObject {
    readonly spec?: { readonly rules?: readonly { readonly retry?: unknown }[] };
}

const VERSION_LABEL = "app.kubernetes.io/version";

/** Definitions of Traefik, Envoy Gateway and Cilium do not say their release. */
const RELEASES: Readonly<Record<string, Release>> = {
    "gateway.networking.k8s.io": {
        definition: "httproutes.gateway.networking.k8s.io",
        key: "gateway.networking.k8s.io/bundle-version",
        oldest: [1, 5],
    },
    "keda.sh": { definition: "scaledobjects.keda.sh", key: VERSION_LABEL, oldest: [2, 17] },
    "cert-manager.io": {
        definition: "certificates.cert-manager.io",
        key: VERSION_LABEL,
        oldest: [1, 15],
    },
};

/** Group of an apiVersion; empty for the oldest kinds. */
export function groupOf(apiVersion: string): string {
    return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/**
 * Groups whose installed definitions are older than the manifests need: they drop newer fields without an error. A
 * release that no definition says is no problem, since it cannot be known.
 */
export async function outdatedReleases(
    cluster: Cluster,
    groups: readonly string[],
): Promise<{ readonly group: string; readonly words: string }[]> {
    const found = await Promise.all(
        [...new Set(groups)].map(async (group) => {
            const release = RELEASES[group];
            if (!release) return [];
            const version = await versionOf(cluster, release);
            if (version === undefined || !isOlder(version, release.oldest)) return [];
            return { group, words: `the cluster has ${version}` };
        }),
    );
    return found.flat();
}

async function versionOf(
    cluster: Cluster,
    { definition, key }: Release,
): Promise<string | undefined> {
    const { metadata } = (await readDefinition(cluster, definition)) ?? {};
    return metadata?.annotations?.[key] ?? metadata?.labels?.[key];
}

/**
 * Whether the installed Gateway API knows `retry` of a route's rules, where a route has it: only its experimental
 * channel does before 1.7, and the standard one drops it. Unknown where definitions must not be read.
 */
export async function lacksRetry(
    cluster: Cluster,
    manifests: readonly KubernetesObject[],
): Promise<boolean> {
    const routes = manifests.filter(({ kind }) => kind === "HTTPRoute") as HttpRoute[];
    if (!routes.some(({ spec }) => spec?.rules?.some(({ retry }) => retry !== undefined)))
        return false;
    const found = await readDefinition(cluster, "httproutes.gateway.networking.k8s.io");
    const version = found?.spec?.versions.find(({ name }) => name === "v1");
    return version !== undefined && !JSON.stringify(version.schema ?? {}).includes('"retry":');
}

function readDefinition(cluster: Cluster, name: string): Promise<Definition | undefined> {
    const reference = {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        name,
    };
    return readIfExists<Definition>(cluster, reference).catch(noneIfForbidden);
}

/** Who deploys into namespaces need not be allowed to read definitions. */
function noneIfForbidden(error: unknown): undefined {
    if (statusOf(error) !== 403) throw error;
}

/** A version that is none, such as `latest`, is not older than any. */
function isOlder(version: string, [major, minor]: Release["oldest"]): boolean {
    const [, ...parts] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
    const [ofMajor = Infinity, ofMinor = Infinity] = parts.map(Number);
    return ofMajor < major || (ofMajor === major && ofMinor < minor);
}
