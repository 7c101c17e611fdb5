import { link, writeFile } from "node:fs/promises";
import path from "node:path";
import { digest } from "../content.ts";
import type { Step } from "../shell.ts";
import type { DebianRecipe } from "./catalogue.ts";
import { ensureDebianRoot } from "./debianRoot.ts";
import { installNode, NODE_LINES } from "./nodeRuntime.ts";
import type { BuildahBuild } from "./recipe.ts";

/** Label that lists a Debian image's packages with their versions. */
const PACKAGES_LABEL = "property-search.io/packages";

export async function debianBuild(
    step: Step,
    name: string,
    recipe: DebianRecipe,
    refresh: boolean,
): Promise<BuildahBuild> {
    const root = await ensureDebianRoot(step, name, recipe, refresh);
    const dockerfile = createDockerfile(root.packages, [
        ...(recipe.node ? NODE_LINES : []),
        ...entrypointLines(recipe),
    ]);
    return {
        key: digest(root.key, dockerfile),
        prepare: async (folder) => {
            await link(root.archive, path.join(folder, "root.tar"));
            if (recipe.node) await installNode(step, folder);
            await writeFile(path.join(folder, "Dockerfile"), dockerfile);
            return [folder];
        },
    };
}

/** @param packages `name=version` each. */
export function createDockerfile(packages: readonly string[], more: readonly string[]): string {
    const label = `LABEL ${PACKAGES_LABEL}="${packages.join(" ")}"`;
    return [`FROM scratch`, "ADD root.tar /", ...more, label, ""].join("\n");
}

export function entrypointLines({ entrypoint }: DebianRecipe): string[] {
    return entrypoint === undefined ? [] : [`ENTRYPOINT ${JSON.stringify([entrypoint])}`];
}
