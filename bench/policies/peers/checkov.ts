import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { installOnce } from "../../shared/install.ts";
import { runOrThrow } from "../../shared/runToEnd.ts";
import { BenchError } from "../../shared/benchError.ts";
import type { Checker, Peer, Report } from "../peer.ts";

const VERSION = "3.3.30";
const DRIVER = path.resolve(import.meta.dirname, "checkovDriver.py");

/** With its two frameworks for manifests: Kubernetes and secrets. */
export const checkov: Peer = {
    name: "checkov",
    start: async (showProgress): Promise<Checker> => {
        showProgress(`checkov ${VERSION}: installs into a Python environment, a minute or two`);
        const folder = await installOnce(`checkov-${VERSION}`, async (target) => {
            await runOrThrow("python3", ["-m", "venv", target]);
            const pip = path.join(target, "bin/pip");
            await runOrThrow(pip, ["install", "--quiet", `checkov==${VERSION}`]);
        });
        const driver = spawn(path.join(folder, "bin/python"), [DRIVER], {
            stdio: ["pipe", "pipe", "ignore"],
        });
        const answers = createInterface({ input: driver.stdout })[Symbol.asyncIterator]();
        const next = async (): Promise<unknown> => {
            const { value, done } = await answers.next();
            if (done) throw new BenchError(`checkov ended by ${driver.exitCode ?? "a signal"}`);
            return JSON.parse(value);
        };
        return {
            version: VERSION,
            rules: (await next()) as number,
            check: async (objects) => {
                driver.stdin.write(`${JSON.stringify(objects)}\n`);
                return (await next()) as Report[];
            },
            command: (file) => [
                path.join(folder, "bin/checkov"),
                ...["--file", file, "--framework", "kubernetes", "secrets"],
                ...["--quiet", "--compact"],
            ],
            isSlow: true,
            close: () => driver.kill(),
        };
    },
};
