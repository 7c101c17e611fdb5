import type { V1Volume } from "@kubernetes/client-node";
import { cel } from "../../cel/cel.ts";
import type { Pod } from "../../kubernetes/pods.ts";

/** Lists volumes that may fill the disk or memory. Huge pages are bounded by the containers' limits. */
export function listUnboundedVolumes({ spec }: Pod): V1Volume[] {
    return (spec.volumes ?? []).filter(
        ({ emptyDir }) =>
            emptyDir &&
            !emptyDir.medium?.startsWith("HugePages") &&
            emptyDir.sizeLimit === undefined,
    );
}

/** The same in CEL. */
export const UNBOUNDED_VOLUMES = cel`variables.pod.?volumes.orValue([]).filter(v, has(v.emptyDir) && !has(v.emptyDir.sizeLimit) && !v.emptyDir.?medium.orValue('').startsWith('HugePages'))`;
