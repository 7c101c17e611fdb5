import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import path from "node:path";
import { digest } from "../content.ts";
import { run, type Step } from "../shell.ts";
import type { WrittenBuild } from "./recipe.ts";

/** By Node's name of a processor: that of an image. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64" };

/**
 * A static binary and nothing else: one layer with one file, which needs no builder of images.
 *
 * @param source the binary's folder; its name holds the hash of what the binary was made from.
 */
export function binaryBuild(binary: string, source: string): WrittenBuild {
    return {
        key: digest(path.basename(source), JSON.stringify(createConfig(binary, "")), FORMAT),
        write: (step, folder, reference, archive) =>
            writeArchive(step, { binary, source, folder, reference, archive }),
    };
}

/** Changes when the same binary becomes another image. */
const FORMAT = "one layer";

interface Parts {
    readonly binary: string;
    readonly source: string;
    readonly folder: string;
    readonly reference: string;
    readonly archive: string;
}

/** An archive as `docker save` writes it: a manifest, a config and a layer. */
async function writeArchive(
    step: Step,
    { binary, source, folder, reference, archive }: Parts,
): Promise<void> {
    const root = path.join(folder, "root");
    const image = path.join(folder, "image");
    for (const made of [root, image]) await mkdir(made);
    await copyFile(path.join(source, binary), path.join(root, binary));
    const layer = path.join(folder, "layer.tar");
    await run(step, "tar", [...TAR, "--mode=755", "-C", root, "-cf", layer, binary]);
    const layerHash = await sha256(layer);
    await rename(layer, path.join(image, `${layerHash}.tar`));
    const config = JSON.stringify(createConfig(binary, layerHash));
    const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
    const manifest = [{ Config: configName, RepoTags: [reference], Layers: [`${layerHash}.tar`] }];
    await writeFile(path.join(image, configName), config);
    await writeFile(path.join(image, "manifest.json"), JSON.stringify(manifest));
    const files = ["manifest.json", configName, `${layerHash}.tar`];
    await run(step, "tar", [...TAR, "-C", image, "-cf", archive, ...files]);
}

/** The same files give the same archive, whenever and by whomever it is written. */
const TAR = ["--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--sort=name"];

export function createConfig(binary: string, layerHash: string): object {
    return {
        architecture: ARCHITECTURES[process.arch] ?? process.arch,
        os: "linux",
        config: { User: "65532:65532", Entrypoint: [`/${binary}`] },
        rootfs: { type: "layers", diff_ids: [`sha256:${layerHash}`] },
    };
}

async function sha256(file: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    return hash.digest("hex");
}
