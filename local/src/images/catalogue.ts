import { REPOSITORY } from "../paths.ts";
import path from "node:path";

/** How an image is made: from binaries alone, from Debian packages, or from a Dockerfile. */
export type Recipe =
    | { readonly kind: "binary"; readonly binary: string }
    | { readonly kind: "debian"; readonly packages: readonly string[]; readonly node?: boolean }
    | { readonly kind: "service" };

export interface ImageDefinition {
    readonly name: string;
    readonly recipe: Recipe;
    /** Tags before the hash of the content; more than one for one build under several versions. */
    readonly versions: readonly string[];
}

/** Suite of Debian that images are made from. */
export const SUITE = "bookworm";

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
        recipe: { kind: "debian", packages: ["redis-server", "redis-tools"] },
        versions: ["v7"],
    },
    {
        name: "node",
        recipe: { kind: "debian", packages: ["ca-certificates", "libstdc++6"], node: true },
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
export const SERVICE_CONTEXT = [
    "app",
    "contract",
    "package.json",
    "package-lock.json",
    ".npmrc",
    ".dockerignore",
].map((name) => path.join(REPOSITORY, name));
