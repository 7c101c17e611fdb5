import path from "node:path";
import { digestFiles } from "../content.ts";
import { REPOSITORY } from "../paths.ts";

/** How an image is made: from a binary alone, from Debian packages, or from the service's Dockerfile. */
export type Recipe =
    | { readonly kind: "binary"; readonly binary: string }
    | DebianRecipe
    | { readonly kind: "service" };

export interface DebianRecipe {
    readonly kind: "debian";
    readonly suite: "bookworm" | "trixie";
    readonly packages: readonly string[];
    /** With Node and npm. */
    readonly node?: boolean;
}

export interface ImageDefinition {
    readonly name: string;
    readonly recipe: Recipe;
    /** Tags before the hash of the content; more than one for one build under several versions. */
    readonly versions: readonly string[];
}

export const IMAGES: readonly ImageDefinition[] = [
    { name: "pause", recipe: { kind: "binary", binary: "pause" }, versions: ["v1"] },
    { name: "coredns", recipe: { kind: "binary", binary: "coredns" }, versions: ["v1.14.7"] },
    { name: "traefik", recipe: { kind: "binary", binary: "traefik" }, versions: ["v3.7.15"] },
    {
        name: "metrics-server",
        recipe: { kind: "binary", binary: "metrics-server" },
        versions: ["v0.9.0"],
    },
    {
        name: "redis",
        // The newer suite has the major version that dev and prod run.
        recipe: { kind: "debian", suite: "trixie", packages: ["redis-server", "redis-tools"] },
        versions: ["v8"],
    },
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
        recipe: { kind: "service" },
        versions: ["v1.0.0", "v2.0.0-enhanced"],
    },
];

export function imageNamed(name: string): ImageDefinition {
    const found = IMAGES.find((image) => image.name === name);
    if (!found) throw new Error(`there is no image "${name}"`);
    return found;
}

/** What goes into the service's image, besides its base and its model. */
const SERVICE_CONTEXT = [
    "app",
    "contract",
    "package.json",
    "package-lock.json",
    ".npmrc",
    ".dockerignore",
];

/** Folders that .dockerignore keeps out of it. */
export const NOT_IN_CONTEXT = ["test", "node_modules"];

export function digestServiceContext(): Promise<string> {
    const paths = SERVICE_CONTEXT.map((name) => path.join(REPOSITORY, name));
    return digestFiles(paths, NOT_IN_CONTEXT);
}
