import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { makeOnce } from "../content.ts";
import { PATHS } from "../paths.ts";
import type { Step } from "../shell.ts";
import { binaryBuild } from "./binary.ts";
import { buildah, tidyStorage } from "./buildah.ts";
import { findImage, type ImageDefinition } from "./catalogue.ts";
import { debianBuild } from "./debian.ts";
import { createReference, type Image } from "./images.ts";
import { removeOlder } from "./older.ts";
import type { Build } from "./recipe.ts";
import { workspaceBuild } from "./workspace.ts";

export interface Inputs {
    /** Folder of each binary, by its name. */
    readonly binaries: Readonly<Record<string, string>>;
    /** Folder with model.onnx and tokenizer.json; its name holds their hash. */
    readonly model: string;
    /** Whether to resolve Debian's packages again. */
    readonly refresh: boolean;
}

/**
 * Builds an image, once for each content of everything that goes into it. The archive gets its name when
 * it is whole.
 */
export async function buildImage(step: Step, name: string, inputs: Inputs): Promise<Image> {
    await mkdir(PATHS.images, { recursive: true });
    const definition = findImage(name);
    const build = await selectBuild(step, definition, inputs);
    const archive = path.join(PATHS.images, `${name}-${build.key}.tar`);
    const references = definition.versions.map((version) =>
        createReference(name, version, build.key),
    );
    const isNew = await makeOnce(archive, () => {
        step.report(`building ${name}`);
        return buildArchive(step, build, references[0] ?? "", archive);
    });
    if (isNew) await removeOlder(name, archive);
    return { name, references, archive };
}

async function selectBuild(
    step: Step,
    { name, recipe }: ImageDefinition,
    inputs: Inputs,
): Promise<Build> {
    switch (recipe.kind) {
        case "binary":
            return binaryBuild(recipe.binary, inputs.binaries[recipe.binary] ?? "");
        case "debian":
            return debianBuild(step, name, recipe, inputs.refresh);
        case "workspace":
            return workspaceBuild(
                step,
                recipe.folder,
                await buildImage(step, "node", inputs),
                inputs.model,
            );
    }
}

async function buildArchive(
    step: Step,
    build: Build,
    reference: string,
    archive: string,
): Promise<void> {
    const folder = `${archive}.build`;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await rm(`${archive}.partial`, { force: true });
    if ("write" in build) await build.write(step, folder, reference, `${archive}.partial`);
    else await buildWithBuildah(step, await build.prepare(folder), reference, `${archive}.partial`);
    await rename(`${archive}.partial`, archive);
    await rm(folder, { recursive: true, force: true });
}

async function buildWithBuildah(
    step: Step,
    args: readonly string[],
    reference: string,
    archive: string,
): Promise<void> {
    await tidyStorage(step);
    const isolation = ["--isolation", "chroot", "--network", "host", "--layers"];
    const doing = `building the image ${reference}`;
    await buildah(step, ["build", ...isolation, "-t", reference, ...args], doing);
    await buildah(step, ["push", "--quiet", reference, `docker-archive:${archive}:${reference}`]);
}
