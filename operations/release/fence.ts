import { RELEASE_ANNOTATIONS } from "@property-search/contract";
import type { Manifest } from "../cluster/connect.ts";
import { Superseded } from "./error.ts";

/** Fence of the driver that wrote an object last; 0 if no driver has. */
export function fenceOf({ metadata }: Manifest): number {
    return Number(metadata.annotations?.[RELEASE_ANNOTATIONS.fence] ?? 0);
}

/** @throws Superseded if a later driver has written the object */
export function assertNotSuperseded(object: Manifest, fence: number): void {
    if (fenceOf(object) <= fence) return;
    const { kind, metadata } = object;
    const name = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
    throw new Superseded(`a later driver (${fenceOf(object)}) has written ${name}`);
}
