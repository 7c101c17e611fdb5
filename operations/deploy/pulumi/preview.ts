import { rm } from "node:fs/promises";
import path from "node:path";
import { ClusterError, type Cluster } from "../../cluster/connect.ts";
import { processFile } from "../../stack/processFiles.ts";
import { readRecordedConfig } from "../apply/record.ts";
import { summarizeEvents, type PreviewSummary } from "./changes.ts";
import { pulumiCli, RESTORE_ENV, type PulumiCli } from "./cli.ts";
import { prepareConfig } from "./config.ts";
import { createEventReader, EVENT_LOG_ENV } from "./events.ts";
import { requirePulumi } from "./installed.ts";
import { openWorkspace, stateFolderFor } from "./workspace.ts";
import { policyFlags } from "./policies.ts";
import { previewReport, headline, type ReportOptions } from "./report.ts";
import { ensureStack } from "./stack.ts";

export interface PreviewOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    /** Whether to compare with the cluster and fail if anything changed. Default: false */
    readonly drift?: boolean;
    /** Receives one line per event before the report. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
}

/** Checks that this machine can run a preview, before a cluster is contacted. @throws ClusterError */
export async function requirePreview(stack: string): Promise<void> {
    const instead = `; make render STACK=${stack} shows the objects, make policies STACK=${stack} checks their policies`;
    await requirePulumi("a preview", instead);
}

/**
 * Previews `make deploy` with the policy pack, the same backend, passphrase and config. It stores nothing but an empty stack
 * if there is none. Secrets that the first deploy will generate have temporary values.
 *
 * @returns the report, which is bounded and starts with a headline
 * @throws PreviewError with the report, for mandatory violations, errors and drift
 */
export async function pulumiPreview(options: PreviewOptions): Promise<string> {
    const { cluster, stack, drift: isDrift = false, report, signal } = options;
    const stateFolder = await stateFolderFor(cluster);
    const config = await readRecordedConfig(cluster, stack);
    const workspace = await openWorkspace({
        stack,
        kubeconfig: cluster.exportKubeconfig(),
        stateFolder,
        copy: Object.keys(config).length > 0,
        report,
    });
    const cli = pulumiCli(workspace, signal);
    const known = await ensureStack(workspace, cli, report);
    const prepareOptions = {
        workspace,
        cli,
        stateFolder,
        config,
        knownSecrets: {},
        known,
        report,
    };
    const prepared = await prepareConfig({ ...prepareOptions, isPreview: true });
    try {
        const flags = [...(isDrift ? ["--refresh"] : []), ...policyFlags(stack, stateFolder)];
        const onStack = ["--stack", stack, "--config-file", prepared.file];
        const { summary, isComplete, printed } = await preview(cli, stateFolder, [
            ...flags,
            ...onStack,
        ]);
        return createReport(summary, { stack, isDrift, isComplete }, printed);
    } finally {
        await prepared.discard();
    }
}

/** A failed preview, with its report. */
export class PreviewError extends ClusterError {
    readonly report: string;

    constructor(sentence: string, report: string) {
        super(sentence);
        this.report = report;
    }
}

interface PreviewRun {
    readonly summary: PreviewSummary;
    readonly isComplete: boolean;
    /** Output of the CLI, which is all there is if it fails before the first event. */
    readonly printed: string;
}

async function preview(
    cli: PulumiCli,
    stateFolder: string,
    flags: readonly string[],
): Promise<PreviewRun> {
    const log = processFile(path.join(stateFolder, "preview-events.json"));
    try {
        const { exitCode, stderr } = await cli.run(
            ["preview", "--suppress-progress", "--color", "never", ...flags, "--event-log", log],
            { env: { ...EVENT_LOG_ENV, ...RESTORE_ENV }, maxBuffer: 1e9 },
        );
        const findings = summarizeEvents(await createEventReader(log)());
        return { summary: findings, isComplete: exitCode === 0, printed: String(stderr) };
    } finally {
        await rm(log, { force: true });
    }
}

function createReport(findings: PreviewSummary, about: ReportOptions, printed: string): string {
    const { isDrift, isComplete } = about;
    const isUnexplained = !isComplete && findings.errors.length + findings.violations.length === 0;
    const known = isUnexplained ? { ...findings, errors: [printed.trim()] } : findings;
    const text = previewReport(known, about);
    const isFailed = !isComplete || (isDrift && known.changes.length > 0);
    if (isFailed) throw new PreviewError(headline(known, about), text);
    return text;
}
