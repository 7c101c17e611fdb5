import path from "node:path";

/** The checkout: the Pulumi program stands in its root. */
export const PROGRAM = path.resolve(import.meta.dirname, "../..");
