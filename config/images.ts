import type { Allowed } from "@property-search/contract/settings";
import path from "node:path";
import { isRegistry, toMirror } from "../components/images.ts";
import { IMAGE } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";

const REGISTRY: Allowed = {
    fits: isRegistry,
    words: "a registry with a path where wanted, such as registry.example.com/mirror",
};

/** The registry that images of public registries are pulled from. Undefined: from these themselves. */
export function readRegistry(read: ConfigReader): string | undefined {
    return read.optional("images.registry", REGISTRY);
}

/** An image of what the stack brings, from the stack's registry where it has one. */
export function readImage(read: ConfigReader, key: string, allowed = IMAGE): string {
    const image = read.required(key, allowed);
    const registry = readRegistry(read);
    return registry === undefined ? image : toMirror(image, registry);
}

/** A folder of images, from the stack's registry where it has one and the folder is a public registry's. */
export function readFolder(read: ConfigReader, key: string, allowed: Allowed): string {
    const folder = read.required(key, allowed);
    const registry = readRegistry(read);
    return registry === undefined
        ? folder
        : path.posix.dirname(toMirror(`${folder}/any`, registry));
}
