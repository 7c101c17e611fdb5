import path from "node:path";
import { toMirror } from "../components/images.ts";
import type { ConfigReader } from "./reader.ts";

/** An image that the stack adds, from the stack's registry if it has one. */
export function mirrored(read: ConfigReader, image: string): string {
    const registry = read.get("images.registry");
    return registry === undefined ? image : toMirror(image, registry);
}

/** A folder of images, from the stack's registry where it has one and the folder is a public registry's. */
export function mirroredFolder(read: ConfigReader, folder: string): string {
    return path.posix.dirname(mirrored(read, `${folder}/any`));
}
