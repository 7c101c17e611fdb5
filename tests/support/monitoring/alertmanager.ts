import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";

import { eventually } from "../../../app/test/support/eventually.ts";
import { freePort } from "../../../app/test/support/redisServer.ts";
import type { AlertmanagerConfig } from "../../../components/monitoring/alertmanagerConfig.ts";

const run = promisify(execFile);

export type Labels = Readonly<Record<string, string>>;

export interface Alertmanager {
    readonly post: (alerts: readonly object[]) => Promise<void>;
    /** Names of the alerts that mute the one with these labels. */
    readonly mutedBy: (labels: Labels) => Promise<readonly string[]>;
    readonly stop: () => Promise<void>;
}

/** Runs `use` with the path of the configuration's file. */
export async function withConfig<T>(
    config: AlertmanagerConfig,
    use: (file: string) => Promise<T>,
): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "alertmanager-"));
    try {
        const file = join(folder, "alertmanager.yml");
        await writeFile(file, JSON.stringify(config));
        return await use(file);
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

/** @returns what amtool printed, whether it succeeded or not. */
export async function amtool(...args: readonly string[]): Promise<{ ok: boolean; output: string }> {
    try {
        const { stdout, stderr } = await run("amtool", args);
        return { ok: true, output: stdout + stderr };
    } catch (error) {
        const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
        return { ok: false, output: stdout + stderr };
    }
}

/** A real Alertmanager on loopback that keeps nothing, speaks to no other one, and is ended by `stop`. */
export async function startAlertmanager(config: AlertmanagerConfig): Promise<Alertmanager> {
    const folder = await mkdtemp(join(tmpdir(), "alertmanager-"));
    const file = join(folder, "alertmanager.yml");
    await writeFile(file, JSON.stringify(config));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = spawn(
        program(),
        [
            `--config.file=${file}`,
            `--storage.path=${join(folder, "data")}`,
            `--web.listen-address=127.0.0.1:${port}`,
            "--cluster.listen-address=",
            "--log.level=error",
        ],
        { stdio: ["ignore", "ignore", "pipe"] },
    );
    let log = "";
    child.stderr.on("data", (piece: Buffer) => (log += piece.toString()));
    await eventually("Alertmanager is ready", async () => {
        if (child.exitCode !== null) throw new Error(`Alertmanager ended: ${log}`);
        return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true;
    });
    return {
        post: async (alerts) => {
            const answer = await fetch(`${url}/api/v2/alerts`, {
                method: "POST",
                headers: { "content-type": "application/json" },
                body: JSON.stringify(alerts),
            });
            if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
        },
        mutedBy: async (labels) => {
            const answer = await fetch(`${url}/api/v2/alerts`);
            const alerts = (await answer.json()) as {
                labels: Labels;
                fingerprint: string;
                status: { inhibitedBy: string[] };
            }[];
            const names = new Map(
                alerts.map(({ fingerprint, labels: its }) => [fingerprint, its.alertname ?? ""]),
            );
            const wanted = JSON.stringify(Object.entries(labels).sort());
            const found = alerts.find(
                ({ labels: its }) => JSON.stringify(Object.entries(its).sort()) === wanted,
            );
            return (found?.status.inhibitedBy ?? []).map((print) => names.get(print) ?? print);
        },
        stop: async () => {
            const ended = once(child, "exit");
            child.kill("SIGTERM");
            await ended;
            await rm(folder, { recursive: true, force: true });
        },
    };
}

export interface Notification {
    readonly path: string;
    readonly status: string;
    readonly alerts: readonly { readonly status: string; readonly labels: Labels }[];
}

export interface WebhookReceiver {
    readonly url: string;
    readonly received: readonly Notification[];
    readonly stop: () => Promise<void>;
}

/** Takes webhooks of Alertmanager on loopback. */
export async function startReceiver(): Promise<WebhookReceiver> {
    const received: Notification[] = [];
    const server = createServer((request, response) => {
        let body = "";
        request.on("data", (piece: Buffer) => (body += piece.toString()));
        request.on("end", () => {
            received.push({
                path: request.url ?? "",
                ...(JSON.parse(body) as Omit<Notification, "path">),
            });
            response.end();
        });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        received,
        stop: async () => {
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

/** Debian calls it by another name than everybody else. */
function program(): string {
    const folders = (process.env.PATH ?? "").split(delimiter);
    const names = ["alertmanager", "prometheus-alertmanager"];
    const found = names.find((name) => folders.some((folder) => existsSync(join(folder, name))));
    if (found === undefined) throw new Error("Alertmanager is missing: run make test-tools");
    return found;
}
