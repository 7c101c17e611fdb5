import { existsSync } from "node:fs";
import path from "node:path";
import { digest } from "../content.ts";
import { REPOSITORY } from "../paths.ts";
import { tryRun, type Step } from "../shell.ts";
import { buildah } from "./buildah.ts";
import { digestServiceContext } from "./catalogue.ts";
import type { Image } from "./images.ts";
import type { BuildahBuild } from "./recipe.ts";

/**
 * The service's own Dockerfile, with local images in the place of the official ones.
 *
 * @param model the model's folder, whose name holds its hash.
 */
export async function serviceBuild(step: Step, base: Image, model: string): Promise<BuildahBuild> {
    const [node = ""] = base.references;
    return {
        key: digest(await digestServiceContext(), node, path.basename(model)),
        prepare: async () => {
            // The archive may have outlived the storage that it was built in.
            await buildah(step, ["pull", "--quiet", `docker-archive:${base.archive}`]);
            return [
                ...["--build-arg", `NODE_IMAGE=${node}`, "--build-arg", `BUILD_IMAGE=${node}`],
                ...["--build-context", `model=${model}`],
                ...(await hostSettings()),
                ...["-f", path.join(REPOSITORY, "app/Dockerfile"), REPOSITORY],
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
