import path from "node:path";
import { PATHS } from "../paths.ts";
import { run, type Step } from "../shell.ts";
import type { Image } from "./images.ts";

const CTR = ["--address", path.join(PATHS.node, "containerd/containerd.sock"), "-n", "k8s.io"];

/** Tells the kubelet, by containerd from 1.7 on, that no collection of garbage may take an image. */
export const PINNED = "io.cri-containerd.pinned=pinned";

/**
 * Brings images into the node's containerd and pins them, since they exist in no registry; those that it
 * has already are left alone.
 */
export async function importImages(step: Step, images: readonly Image[]): Promise<void> {
    const listed = await run(step, "ctr", [...CTR, "images", "list", "-q"]);
    const present = new Set(listed.split("\n"));
    for (const { name, references, archive } of images) {
        const [first = "", ...others] = references;
        if (!present.has(first)) {
            step.report(`importing ${name}`);
            await run(step, "ctr", [...CTR, "images", "import", archive]);
        }
        for (const other of others.filter((reference) => !present.has(reference))) {
            await run(step, "ctr", [...CTR, "images", "tag", first, other]);
        }
        for (const reference of references.filter((one) => !present.has(one))) {
            await run(step, "ctr", [...CTR, "images", "label", reference, PINNED]);
        }
    }
}
