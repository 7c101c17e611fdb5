import * as pulumi from "@pulumi/pulumi";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { isManifest, type Manifest } from "./manifests.ts";
import { Secret, type Registration } from "./program.ts";

/** Component that installs a chart, and needs Pulumi's engine for it. */
export const CHART_TYPE = "kubernetes-cert-manager:index:CertManager";

const ROOT = path.resolve(import.meta.dirname, "..");
/** The same on every machine: Helm's own default depends on how it was built. */
const MINIMUM_KUBERNETES = "1.30.0";
const MAX_BYTES = 64 * 1024 * 1024;

interface HelmOptions {
    readonly name: string;
    readonly chart: string;
    readonly version: string;
    readonly namespace: string;
    readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Renders the charts among what a program declared, by the Helm on PATH, without hooks.
 *
 * @throws pulumi.RunError with a sentence for the user, when there is no Helm or the chart cannot be had.
 */
export async function chartManifests(registrations: readonly Registration[]): Promise<Manifest[]> {
    const charts = registrations.filter(({ type }) => type === CHART_TYPE);
    return (await Promise.all(charts.map(renderChart))).flat();
}

async function renderChart({ inputs }: Registration): Promise<Manifest[]> {
    const options = resolveOutputs(inputs.helmOptions) as HelmOptions;
    const { name, chart, version, namespace, values } = options;
    const args = ["template", name, chart, "--version", version, "--namespace", namespace];
    const more = ["--kube-version", MINIMUM_KUBERNETES, "--no-hooks", "--values", "-"];
    const helm = promisify(execFile)("helm", [...args, ...more], {
        cwd: ROOT,
        maxBuffer: MAX_BYTES,
    });
    helm.child.stdin?.end(JSON.stringify(values));
    try {
        const { stdout } = await helm;
        return parseAllDocuments(stdout)
            .map((document) => document.toJS() as unknown)
            .filter(isManifest);
    } catch (error) {
        throw new pulumi.RunError(formatReason(error as NodeJS.ErrnoException, chart));
    }
}

function formatReason(error: NodeJS.ErrnoException, chart: string): string {
    if (error.code !== "ENOENT") return `helm cannot render ${chart}: ${error.message}`;
    return (
        "helm is not on PATH; certificates.certManager=install needs it to render cert-manager; " +
        "install Helm 3.8 or newer, or install cert-manager and set certificates.certManager to existing"
    );
}

function resolveOutputs(value: unknown): unknown {
    if (value instanceof Secret) return resolveOutputs(value.value);
    if (Array.isArray(value)) return value.map(resolveOutputs);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
        Object.entries(value).map(([key, field]) => [key, resolveOutputs(field)]),
    );
}
