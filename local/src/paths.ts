import { userCacheFolder } from "@property-search/contract";
import path from "node:path";

/** The checkout. */
export const REPOSITORY = path.resolve(import.meta.dirname, "../..");

/** Everything that `make up` makes on this machine and could make again. */
export const CACHE = path.join(userCacheFolder(), "property-search");

export const PATHS = {
    /** Binaries, one folder for each version of how they are made. */
    toolchain: path.join(CACHE, "toolchain"),
    /** Archives of images, and buildah's storage. */
    images: path.join(CACHE, "images"),
    /** The node's own files: certificates, etcd, containerd. Gone after `make down`. */
    node: path.join(CACHE, "node-state"),
    /** Kubeconfig and Pulumi's state of the cluster of kind. Gone after `make down`. */
    kind: path.join(CACHE, "kind"),
    /** One log for each step of the newest run. */
    logs: path.join(CACHE, "logs"),
    lock: path.join(CACHE, "up.lock"),
} as const;
