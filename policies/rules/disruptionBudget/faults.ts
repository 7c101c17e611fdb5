import { LABELS } from "@property-search/contract";
import { several } from "../../faults/drafts.ts";
import { inObjects, offByOne, remove, type Draft, type Fault } from "../../faults/fault.ts";

const guarded = (budget: Draft, all: readonly Draft[]) =>
    all.some(
        (one) =>
            ["Deployment", "StatefulSet"].includes(one.kind as string) &&
            one.metadata.namespace === budget.metadata.namespace &&
            one.spec.selector.matchLabels[LABELS.name] ===
                budget.spec.selector.matchLabels[LABELS.name] &&
            several(one, all),
    );

export const faults: readonly Fault[] = [
    inObjects("disruption-budget", "PodDisruptionBudget", "no disruption budget", remove, guarded),
    inObjects(
        "disruption-budget",
        "PodDisruptionBudget",
        "a budget that lets no pod go",
        ({ spec }) => {
            delete spec.minAvailable;
            spec.maxUnavailable = 0;
        },
        guarded,
    ),
    inObjects(
        "disruption-budget",
        "PodDisruptionBudget",
        "a budget that wants all pods",
        ({ spec }) => {
            delete spec.maxUnavailable;
            spec.minAvailable = "100%";
        },
        guarded,
    ),
    inObjects(
        "disruption-budget",
        "PodDisruptionBudget",
        "a budget for nobody",
        ({ spec }) => offByOne(spec.selector.matchLabels),
        guarded,
    ),
];
