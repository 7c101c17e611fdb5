import { globSync } from "node:fs";
import path from "node:path";
import { toObjects, type KubernetesObject } from "../../../policies/kubernetes/object.ts";
import { readManifests } from "../../../policies/manifests.ts";
import { runToEnd } from "../../shared/runToEnd.ts";
import { buildKustomization, KUSTOMIZATION } from "./kustomization.ts";
import type { Project } from "./projects.ts";

/** PROJECTS has the checksums, so that cached modules need no network. */
const GO = { GONOSUMDB: "*", GOWORK: "off" };

/** The Kubernetes objects of a project, from the Go module proxy or the cache of an earlier run. */
export async function fetchManifests(project: Project): Promise<KubernetesObject[]> {
    const folder = await downloadModule(project);
    const objects: KubernetesObject[] = [];
    for (const pattern of project.files) {
        const files = globSync(pattern, { cwd: folder });
        if (files.length === 0) throw new Error(`${project.module} has no ${pattern}`);
        for (const file of files.sort()) {
            const absolute = path.join(folder, file);
            const isBuilt = path.basename(file) === KUSTOMIZATION;
            objects.push(
                ...(isBuilt
                    ? (await buildKustomization(absolute)).flatMap(toObjects)
                    : await readManifests(absolute)),
            );
        }
    }
    return objects;
}

/** @throws Error if the module is not available or does not match its pinned checksum */
async function downloadModule({ module, version, sum }: Project): Promise<string> {
    const args = ["mod", "download", "-json", `${module}@${version}`];
    const options = { cwd: import.meta.dirname, env: { ...process.env, ...GO } };
    const { status, stdout, stderr } = await runToEnd("go", args, options);
    if (status !== 0) {
        const reason = status === "ENOENT" ? "go is not installed" : stdout || stderr;
        throw new Error(`no manifests of ${module}@${version}: ${reason}`);
    }
    const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
    if (Sum === sum) return Dir;
    throw new Error(`${module}@${version} has the sum ${Sum}; pinned: ${sum}`);
}
