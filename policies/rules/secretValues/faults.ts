import { inObjects, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inObjects("secret-values", "Secret", "a password in the manifest", (one) => {
        one.stringData = { ...one.stringData, password: "hunter2-hunter2" };
    }),
];
