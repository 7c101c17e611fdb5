import { NAMESPACES, RELEASE } from "@property-search/contract";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { KUBECONFIG } from "../../local/src/node/start.ts";
import { REPOSITORY } from "../../local/src/paths.ts";
import { clusterApi } from "../../operations/release/api.ts";
import type { Switch } from "../../operations/release/state.ts";
import { clusterStore } from "../../operations/release/store/record.ts";
import type { TestCluster } from "./cluster.ts";

export interface Ended {
    /** null when a signal ended it. */
    readonly exitCode: number | null;
    readonly output: string;
    readonly seconds: number;
}

const PROGRAM = path.join(REPOSITORY, "operations/cli/main.ts");
/** As the test has set it by now. */
function environment(): NodeJS.ProcessEnv {
    return {
        ...process.env,
        KUBECONFIG: process.env.KUBECONFIG ?? KUBECONFIG,
        // Jest's own Node settings are not the user's.
        NODE_OPTIONS: "",
    };
}
/** Stack of `make up`. */
const STACK = "local";

/** The release driver's command, at work. */
export interface Driver {
    readonly ended: Promise<Ended>;
    /** Resolves with the first line like this; false: it ended without one. */
    readonly waitForLine: (line: RegExp) => Promise<boolean>;
    readonly kill: () => void;
}

/** Runs the driver as a user does. */
export function drive(...args: readonly string[]): Driver {
    const started = performance.now();
    const child = spawn(process.execPath, [PROGRAM, ...args], {
        cwd: REPOSITORY,
        stdio: ["ignore", "pipe", "pipe"],
        env: environment(),
    });
    const lines: string[] = [];
    const listeners = new Set<() => void>();
    let hasEnded = false;
    const notify = (): void => listeners.forEach((listener) => listener());
    for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
            lines.push(line);
            notify();
        });
    }
    const ended = once(child, "close").then(([exitCode]): Ended => {
        hasEnded = true;
        notify();
        const seconds = (performance.now() - started) / 1000;
        return { exitCode: exitCode as number | null, output: lines.join("\n"), seconds };
    });
    return {
        ended,
        waitForLine: (pattern) =>
            new Promise((resolve) => {
                const check = (): void => {
                    const isPrinted = lines.some((line) => pattern.test(line));
                    if (!isPrinted && !hasEnded) return;
                    listeners.delete(check);
                    resolve(isPrinted);
                };
                listeners.add(check);
                check();
            }),
        kill: () => void child.kill("SIGKILL"),
    };
}

/** The switch on record. @throws Error when there is none */
export async function switchOf(cluster: TestCluster): Promise<Switch> {
    const { state } = await clusterStore(clusterApi(cluster)).read();
    if (!state) {
        throw new Error(`ConfigMap ${NAMESPACES.edge}/${RELEASE.configMap} holds no switch`);
    }
    return state;
}

/** Unix time in seconds at which a switch entered a phase for the last time; NaN: it never did. */
export function enteredAt({ log }: Switch, phase: Switch["phase"]): number {
    return (log.findLast((entry) => entry.phase === phase)?.at ?? NaN) / 1000;
}

/** A switch writes its end into the stack's config file. @returns what puts the file back */
export async function keepStackFile(): Promise<() => Promise<void>> {
    const file = path.join(REPOSITORY, `Pulumi.${STACK}.yaml`);
    const before = await readFile(file, "utf8");
    return () => writeFile(file, before);
}
