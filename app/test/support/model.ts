import { execFileSync } from "node:child_process";
import { join } from "node:path";

/**
 * @returns the directory of the real model
 * @throws if it is missing: `make model` fetches it
 */
export function modelDirectory(): string {
    const script = join(import.meta.dirname, "../../model/fetch.sh");
    return execFileSync(script, ["--check"], { encoding: "utf8" }).trim();
}
