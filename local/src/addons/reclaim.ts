import { mkdir, rm } from "node:fs/promises";
import { VOLUMES } from "../node/configuration.ts";

interface Volume {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly local?: { readonly path: string } };
    readonly status?: { readonly phase?: string };
}

/** A volume that can be recreated. */
export interface Reclaimable {
    readonly name: string;
    readonly folder: string;
}

/**
 * Lists volumes of the node's folders whose claim was deleted. Nothing reclaims them, since no provisioner created
 * them: they would stay Released, and each removed stack would leave fewer available volumes.
 *
 * @param listed what `kubectl get persistentvolumes -o json` says.
 */
export function listReclaimable(listed: string): Reclaimable[] {
    const { items } = JSON.parse(listed) as { items: Volume[] };
    return items.flatMap(({ metadata: { name }, spec, status }) => {
        const folder = VOLUMES.find((own) => own === spec.local?.path);
        return folder !== undefined && status?.phase === "Released" ? [{ name, folder }] : [];
    });
}

/** The next claim must not find what the last one wrote. */
export async function emptyFolders(volumes: readonly Reclaimable[]): Promise<void> {
    for (const { folder } of volumes) {
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
    }
}
