import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ClusterError, type Cluster } from "../../cluster/connect.ts";
import { givenConfig } from "../apply/record.ts";
import { findingsOf, type Findings } from "./changes.ts";
import { pulumiCli, RESTORING, type PulumiCli } from "./cli.ts";
import { prepareConfig } from "./config.ts";
import { eventLog, EVENT_LOG_SETTINGS } from "./events.ts";
import { requirePulumi } from "./installed.ts";
import { openPlace, stateFolderOf } from "./workspace.ts";
import { policyFlags } from "./policies.ts";
import { previewReport, verdict, type ReportOptions } from "./report.ts";
import { ensureStack } from "./stack.ts";

export interface PreviewOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    /** Read from the cluster what is there, and fail by any change. Default: false */
    readonly drift?: boolean;
    /** Gets one line for each thing that happened before the report. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
}

/** Checks, before a cluster is asked for, that this machine can preview. @throws ClusterError */
export async function requirePreview(stack: string): Promise<void> {
    const instead = `; make render STACK=${stack} shows the objects, make policies STACK=${stack} asks the policies of them`;
    await requirePulumi("a preview", instead);
}

/**
 * What `make deploy` would change, and what the policy pack says of it: by the same backend, passphrase and
 * config. Nothing is kept but the stack itself, which is created, empty, where there is none. Secrets that
 * the first deploy will generate are others here.
 *
 * @returns the report: a verdict first, and bounded
 * @throws PreviewError with the report by mandatory violations, errors, and drift
 */
export async function pulumiPreview(options: PreviewOptions): Promise<string> {
    const { cluster, stack, drift: isDrift = false, report, signal } = options;
    const stateFolder = await stateFolderOf(cluster);
    const config = await givenConfig(cluster, stack);
    const place = await openPlace({
        stack,
        kubeconfig: cluster.exportKubeconfig(),
        stateFolder,
        copy: Object.keys(config).length > 0,
        report,
    });
    const cli = pulumiCli(place, signal);
    const encryption = await ensureStack(place, cli, report);
    const asked = { place, cli, stateFolder, config, knownSecrets: {}, encryption, report };
    const prepared = await prepareConfig({ ...asked, isTrial: true });
    try {
        const flags = [...(isDrift ? ["--refresh"] : []), ...policyFlags(stack)];
        const onStack = ["--stack", stack, "--config-file", prepared.file];
        const { findings, isComplete, printed } = await preview(cli, [...flags, ...onStack]);
        return judged(findings, { stack, isDrift, isComplete }, printed);
    } finally {
        await prepared.discard();
    }
}

/** A preview that came to a verdict which is no success. Its message is the report. */
export class PreviewError extends ClusterError {
    readonly report: string;

    constructor(sentence: string, report: string) {
        super(sentence);
        this.report = report;
    }
}

interface Previewed {
    readonly findings: Findings;
    readonly isComplete: boolean;
    /** By the CLI itself, as where it fails before there are events. */
    readonly printed: string;
}

async function preview(cli: PulumiCli, flags: readonly string[]): Promise<Previewed> {
    const folder = await mkdtemp(path.join(tmpdir(), "pulumi-preview-"));
    try {
        const log = path.join(folder, "events.json");
        const { exitCode, stderr } = await cli.run(
            ["preview", "--suppress-progress", "--color", "never", ...flags, "--event-log", log],
            { env: { ...EVENT_LOG_SETTINGS, ...RESTORING }, maxBuffer: 1e9 },
        );
        const findings = findingsOf(await eventLog(log)());
        return { findings, isComplete: exitCode === 0, printed: String(stderr) };
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

function judged(findings: Findings, about: ReportOptions, printed: string): string {
    const { isDrift, isComplete } = about;
    const isUnexplained = !isComplete && findings.errors.length + findings.violations.length === 0;
    const known = isUnexplained ? { ...findings, errors: [printed.trim()] } : findings;
    const text = previewReport(known, about);
    const isFailed = !isComplete || (isDrift && known.changes.length > 0);
    if (isFailed) throw new PreviewError(verdict(known, about), text);
    return text;
}
