import { execa } from "execa";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { clusterAdminTarget, type AdminTarget } from "../admin/target.ts";
import { ClusterError, type Cluster } from "../cluster/connect.ts";
import { forwardPrometheus } from "../cluster/prometheusAccess.ts";

/** Command line of the analysis. A program of its own: it needs Prometheus, and no cluster. */
const INSIGHTS = path.resolve(import.meta.dirname, "../../insights/src/main.ts");

export interface OptimizeOptions {
    /** Folder of the reports. */
    readonly out: string;
    readonly hours?: string;
    readonly slackWebhookFile?: string;
    readonly report: (line: string) => void;
    readonly signal: AbortSignal;
}

/**
 * Runs the analysis of insights/ on a cluster's Prometheus, with the hot keys of one pod. Tokens are passed by files that
 * only this user can read.
 *
 * @throws ClusterError if Prometheus cannot be reached or the analysis fails, which prints its own error
 */
export async function optimize(
    cluster: Cluster,
    { out, hours, slackWebhookFile, report, signal }: OptimizeOptions,
): Promise<void> {
    const folder = await mkdtemp(path.join(tmpdir(), "optimize-"));
    const prometheus = await forwardPrometheus(cluster);
    const admin = await connectAdmin(cluster, report);
    try {
        const secretFile = async (name: string, text: string) => {
            const file = path.join(folder, name);
            await writeFile(file, text, { mode: 0o600 });
            return file;
        };
        const flags: Readonly<Record<string, string | undefined>> = {
            "--prometheus": prometheus.url,
            "--token-file":
                prometheus.token === undefined
                    ? undefined
                    : await secretFile("prometheus", prometheus.token),
            "--admin": admin?.url,
            "--admin-token-file": admin && (await secretFile("admin", admin.token)),
            "--out": out,
            "--hours": hours,
            "--slack-webhook-file": slackWebhookFile,
        };
        const args = Object.entries(flags).flatMap(([flag, value]) =>
            value === undefined ? [] : [flag, value],
        );
        const { failed } = await execa(process.execPath, [INSIGHTS, "analyse", ...args], {
            stdio: "inherit",
            reject: false,
            cancelSignal: signal,
        });
        if (failed) throw new ClusterError("the analysis failed; its error is above");
    } finally {
        await Promise.all([prometheus.close(), admin?.close()]);
        await rm(folder, { recursive: true });
    }
}

/** The report does not depend on the admin port: a cluster may not have a ready pod. */
async function connectAdmin(
    cluster: Cluster,
    report: OptimizeOptions["report"],
): Promise<AdminTarget | undefined> {
    try {
        return await clusterAdminTarget(cluster, {});
    } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        report(`without hot keys: ${error.message}`);
        return undefined;
    }
}
