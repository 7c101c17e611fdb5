import { execFileSync } from "node:child_process";
import { chromium, type Browser } from "playwright-core";

/**
 * Starts Debian's Chromium, without a window. It ends with this process, since their pipe then closes.
 *
 * @throws if it is not installed
 */
export function startBrowser(): Promise<Browser> {
    return chromium.launch({
        executablePath: findChromium(),
        // Containers of CI run tests as root, for which Chromium's sandbox does not start.
        args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    });
}

function findChromium(): string {
    try {
        return execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
    } catch {
        throw new Error("chromium is missing: make test-tools installs it");
    }
}
