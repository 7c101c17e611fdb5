import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { CACHE } from "../paths.ts";
import { LocalError, run, tryRun, type Step } from "../shell.ts";

const NAME = "property-search";
const FOLDER = path.join(CACHE, "kind");

/** Kubeconfig of the kind cluster; the user's own is left alone. */
export const KIND_KUBECONFIG = path.join(FOLDER, "kubeconfig");

/**
 * Makes sure that the kind cluster runs.
 *
 * @returns the address of its node, which this machine reaches.
 */
export async function ensureKindCluster(step: Step): Promise<string> {
    await mkdir(FOLDER, { recursive: true, mode: 0o700 });
    const target = ["--name", NAME, "--kubeconfig", KIND_KUBECONFIG];
    if (await kindClusterExists()) {
        await run(step, "kind", ["export", "kubeconfig", ...target]);
    } else {
        step.say("kind makes a cluster");
        await run(step, "kind", ["create", "cluster", ...target, "--wait", "120s"]);
    }
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const node = `${NAME}-control-plane`;
    const address = (await run(step, "docker", ["inspect", "--format", format, node])).trim();
    if (address === "") throw new LocalError(`the container ${node} has no address: make down`);
    return address;
}

export async function kindClusterExists(): Promise<boolean> {
    return ((await tryRun("kind", ["get", "clusters"])) ?? "").split("\n").includes(NAME);
}

/** Brings images of this machine's Docker into the cluster. */
export async function loadImages(step: Step, references: readonly string[]): Promise<void> {
    await run(step, "kind", ["load", "docker-image", ...references, "--name", NAME]);
}

export async function removeKindCluster(step: Step): Promise<void> {
    await run(step, "kind", ["delete", "cluster", "--name", NAME]);
    await rm(FOLDER, { recursive: true, force: true });
}
