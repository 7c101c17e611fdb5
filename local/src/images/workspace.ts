import { existsSync } from "node:fs";
import path from "node:path";
import { digest } from "../content.ts";
import { REPOSITORY } from "../paths.ts";
import { tryRun, type Step } from "../shell.ts";
import { buildah } from "./buildah.ts";
import { digestContext, type Workspace } from "./catalogue.ts";
import type { Image } from "./images.ts";
import type { BuildahBuild } from "./recipe.ts";

/**
 * The Dockerfile of a workspace, with local images in the place of the official ones.
 *
 * @param model the model's folder, whose name holds its hash; only the service's image has it.
 */
export async function workspaceBuild(
    step: Step,
    folder: Workspace,
    base: Image,
    model: string,
): Promise<BuildahBuild> {
    const [node = ""] = base.references;
    const models = folder === "app" ? [model] : [];
    return {
        key: digest(await digestContext(folder), node, ...models.map((one) => path.basename(one))),
        prepare: async () => {
            // The archive may have outlived the storage that it was built in.
            await buildah(step, ["pull", "--quiet", `docker-archive:${base.archive}`]);
            return [
                ...["--build-arg", `NODE_IMAGE=${node}`, "--build-arg", `BUILD_IMAGE=${node}`],
                ...models.flatMap((one) => ["--build-context", `model=${one}`]),
                ...(await hostSettings()),
                ...["-f", path.join(REPOSITORY, folder, "Dockerfile"), REPOSITORY],
            ];
        },
    };
}

/** Where the build's npm finds them. */
const NPM = { settings: "/run/npm/npmrc", cache: "/run/npm/cache" } as const;

/** This machine's way to the npm registry, mounted into the build and never part of a layer. */
async function hostSettings(): Promise<string[]> {
    const certificates = "/etc/ssl/certs";
    const settings = await tryRun("npm", ["config", "get", "userconfig"]);
    const cache = await tryRun("npm", ["config", "get", "cache"]);
    const mounts = [
        existsSync(certificates) && `${certificates}:${certificates}:ro`,
        settings !== undefined && existsSync(settings) && `${settings}:${NPM.settings}:ro`,
        cache !== undefined && existsSync(cache) && `${cache}:${NPM.cache}`,
    ];
    return [
        ...mounts.filter((mount) => mount !== false).flatMap((mount) => ["--volume", mount]),
        ...["--build-arg", `NPM_CONFIG_USERCONFIG=${NPM.settings}`],
        ...["--build-arg", `NPM_CONFIG_CACHE=${NPM.cache}`],
    ];
}
