import path from "node:path";

/** Root of the checkout, which is the folder of the Pulumi program. */
export const PROGRAM_FOLDER = path.resolve(import.meta.dirname, "../..");
