import { copy, inObjects, type Draft, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    ...["Service", "ConfigMap", "Deployment", "Secret"].map((kind) =>
        inObjects("duplicates", kind, `a ${kind} twice`, (one, all) => {
            (all as Draft[]).push(copy(one));
        }),
    ),
];
