import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** @returns the folder of the real model; it is fetched where it is missing, as `make model` does. */
export function modelDirectory(): string {
    const script = join(import.meta.dirname, "../../model/fetch.sh");
    return execFileSync(script, { encoding: "utf8" }).trim();
}
