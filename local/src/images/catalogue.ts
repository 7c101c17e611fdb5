import path from "node:path";
import { digestFiles } from "../content.ts";
import { REPOSITORY } from "../paths.ts";

/** How an image is made: from a binary alone, from Debian packages, or from a Dockerfile of the repository. */
export type Recipe =
    { readonly kind: "binary"; readonly binary: string } | DebianRecipe | WorkspaceRecipe;

/** Folders of the repository with a Dockerfile. */
export type Workspace = "app" | "insights" | "examples/property-search";

export interface WorkspaceRecipe {
    readonly kind: "workspace";
    readonly folder: Workspace;
}

export interface DebianRecipe {
    readonly kind: "debian";
    readonly suite: "bookworm" | "trixie";
    readonly packages: readonly string[];
    /** Files of these packages that no pod uses. */
    readonly without?: readonly string[];
    /** With Node and npm. */
    readonly node?: boolean;
    /** The program that a pod's arguments go to, as in the official image. */
    readonly entrypoint?: string;
}

export interface ImageDefinition {
    readonly name: string;
    readonly recipe: Recipe;
    /** Tags before the hash of the content; more than one for one build under several versions. */
    readonly versions: readonly string[];
}

export const IMAGES: readonly ImageDefinition[] = [
    { name: "pause", recipe: { kind: "binary", binary: "pause" }, versions: ["v1"] },
    { name: "coredns", recipe: { kind: "binary", binary: "coredns" }, versions: ["v1.13.2"] },
    { name: "traefik", recipe: { kind: "binary", binary: "traefik" }, versions: ["v3.7.15"] },
    {
        name: "metrics-server",
        recipe: { kind: "binary", binary: "metrics-server" },
        versions: ["v0.8.0"],
    },
    {
        name: "redis",
        // The newer suite has the major version that dev and prod run.
        recipe: { kind: "debian", suite: "trixie", packages: ["redis-server", "redis-tools"] },
        versions: ["v8"],
    },
    {
        name: "prometheus",
        // Its own checks of rules run before they come to a cluster; they would be a third of the image.
        recipe: { ...debianProgram("prometheus"), without: ["/usr/bin/promtool"] },
        versions: ["v2.53"],
    },
    {
        name: "alertmanager",
        recipe: debianProgram("prometheus-alertmanager"),
        versions: ["v0.28"],
    },
    {
        name: "redis-exporter",
        recipe: debianProgram("prometheus-redis-exporter"),
        versions: ["v1.69"],
    },
    {
        name: "kube-state-metrics",
        recipe: { kind: "binary", binary: "kube-state-metrics" },
        versions: ["v2.18.0"],
    },
    { name: "keda", recipe: { kind: "binary", binary: "keda" }, versions: ["v2.20.2"] },
    {
        name: "keda-adapter",
        recipe: { kind: "binary", binary: "keda-adapter" },
        versions: ["v2.20.2"],
    },
    ...["acmesolver", "cainjector", "controller", "webhook"].map((part): ImageDefinition => {
        const name = `cert-manager-${part}`;
        return { name, recipe: { kind: "binary", binary: name }, versions: ["v1.19.5"] };
    }),
    { name: "pebble", recipe: { kind: "binary", binary: "pebble" }, versions: ["v2.10.3"] },
    {
        name: "node",
        recipe: {
            kind: "debian",
            suite: "bookworm",
            packages: ["ca-certificates", "libstdc++6"],
            node: true,
        },
        versions: ["v24"],
    },
    {
        name: "embedding-service",
        recipe: { kind: "workspace", folder: "app" },
        versions: ["v1.0.0", "v2.0.0-enhanced"],
    },
    {
        name: "insights",
        recipe: { kind: "workspace", folder: "insights" },
        versions: ["v1.0.0"],
    },
    {
        name: "property-search",
        recipe: { kind: "workspace", folder: "examples/property-search" },
        versions: ["v1.0.0"],
    },
];

/** A package of the newer suite that brings one program of its own name. */
function debianProgram(name: string): DebianRecipe {
    return {
        kind: "debian",
        suite: "trixie",
        packages: [name],
        entrypoint: `/usr/bin/${name}`,
    };
}

export function findImage(name: string): ImageDefinition {
    const found = IMAGES.find((image) => image.name === name);
    if (!found) throw new Error(`there is no image "${name}"`);
    return found;
}

/** What goes into the image of a workspace, besides its own folder, its base and a model. */
const SHARED_CONTEXT = [
    ...["contract", "package.json", "package-lock.json", ".npmrc", ".dockerignore"],
    "THIRD_PARTY.md",
];

/** Folders that .dockerignore keeps out of it. */
export const NOT_IN_CONTEXT = ["test", "node_modules"];

export function digestContext(folder: Workspace): Promise<string> {
    const paths = [folder, ...SHARED_CONTEXT].map((name) => path.join(REPOSITORY, name));
    return digestFiles(paths, NOT_IN_CONTEXT);
}
