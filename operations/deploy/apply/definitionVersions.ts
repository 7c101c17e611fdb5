import type { KubernetesObject } from "@kubernetes/client-node";
import { readIfExists, statusOf, type Cluster } from "../../cluster/connect.ts";

/** Where an installed definition states the release of its project. */
interface DefinitionVersion {
    readonly definition: string;
    /** Label or annotation with the release. */
    readonly key: string;
    /** Oldest release with all used fields. */
    readonly oldest: readonly [major: number, minor: number];
}

interface Definition extends KubernetesObject {
    readonly spec?: { readonly versions: readonly { readonly name: string; schema?: object }[] };
}

interface HttpRoute extends KubernetesObject {
    readonly spec?: { readonly rules?: readonly { readonly retry?: unknown }[] };
}

const VERSION_LABEL = "app.kubernetes.io/version";

/** Definitions of Traefik, Envoy Gateway and Cilium do not state their release. */
const DEFINITION_VERSIONS: Readonly<Record<string, DefinitionVersion>> = {
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

/** Group of an apiVersion; empty for the core group. */
export function groupOf(apiVersion: string): string {
    return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/**
 * Finds groups whose installed definitions are too old: they drop newer fields without an error. An unknown release is
 * accepted.
 */
export async function findOutdatedDefinitions(
    cluster: Cluster,
    groups: readonly string[],
): Promise<{ readonly group: string; readonly words: string }[]> {
    const found = await Promise.all(
        [...new Set(groups)].map(async (group) => {
            const release = DEFINITION_VERSIONS[group];
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
    { definition, key }: DefinitionVersion,
): Promise<string | undefined> {
    const { metadata } = (await readDefinition(cluster, definition)) ?? {};
    return metadata?.annotations?.[key] ?? metadata?.labels?.[key];
}

/**
 * Whether a route uses `retry` and the installed Gateway API lacks it: before 1.7 only the experimental channel has it, and
 * the standard one drops it. False if definitions cannot be read.
 */
export async function isRetryUnsupported(
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
    return readIfExists<Definition>(cluster, reference).catch(ignoreForbidden);
}

/** A user that deploys may lack permission to read definitions. */
function ignoreForbidden(error: unknown): undefined {
    if (statusOf(error) !== 403) throw error;
}

/** An invalid version, such as `latest`, is not older than any. */
function isOlder(version: string, [major, minor]: DefinitionVersion["oldest"]): boolean {
    const [, ...parts] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
    const [ofMajor = Infinity, ofMinor = Infinity] = parts.map(Number);
    return ofMajor < major || (ofMajor === major && ofMinor < minor);
}
