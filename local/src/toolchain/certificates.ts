import { existsSync } from "node:fs";
import { cp, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { once } from "../content.ts";
import { buildImage, type Inputs } from "../images/build.ts";
import { findImage } from "../images/catalogue.ts";
import type { Image } from "../images/images.ts";
import { requireTools } from "../preflight.ts";
import { LocalError, type Step } from "../shell.ts";
import { buildTool, buildFolder, moduleFolder } from "./go.ts";
import { CERT_MANAGER, CERT_MANAGER_MODULE, HELM, PEBBLE } from "./programs.ts";

/** What tests of certificates need, and nothing else does. */
export interface CertificateTools {
    /** Folder of Helm. */
    readonly helm: string;
    /** Folder of cert-manager's chart, whose images have its version as their tag. */
    readonly chart: string;
    /** Of cert-manager and of Pebble. */
    readonly images: readonly Image[];
}

/** Builds cert-manager, Helm and Pebble from source, once, in some minutes. */
export async function certificateTools(step: Step): Promise<CertificateTools> {
    await requireTools(["go"]);
    const certManager = await buildTool(step, CERT_MANAGER);
    const pebble = await buildTool(step, PEBBLE);
    const parts = CERT_MANAGER.programs.flatMap(({ links = [] }) => links);
    const inputs: Inputs = {
        binaries: { pebble, ...Object.fromEntries(parts.map((part) => [part, certManager])) },
        model: "",
        refresh: false,
    };
    const tag = readTag(certManager);
    const images: Image[] = [await buildImage(step, "pebble", inputs)];
    for (const part of parts) {
        const image = await buildImage(step, part, inputs);
        // The chart knows one tag for all images.
        const references = [...image.references, `localhost/${part}:${tag}`];
        images.push({ ...image, references });
    }
    const module = await moduleFolder(step, CERT_MANAGER.module, CERT_MANAGER_MODULE);
    const chart = await packageChart(module, `${certManager}-chart`, tag);
    return { helm: await buildTool(step, HELM), chart, images };
}

/** @throws LocalError when they have not been built. */
export async function requireCertificateTools(): Promise<void> {
    for (const build of [CERT_MANAGER, PEBBLE, HELM]) {
        if (!existsSync(await buildFolder(build))) {
            throw new LocalError(`there is no ${build.module}: make certificate-tools`);
        }
    }
}

/** Version and content of cert-manager's binary. */
function readTag(folder: string): string {
    const [version = ""] = findImage("cert-manager-controller").versions;
    return `${version}-${path.basename(folder).replace(`${CERT_MANAGER.module}-`, "")}`;
}

/** The chart as a release has it: the module's has a template in the place of Chart.yaml. */
async function packageChart(module: string, folder: string, tag: string): Promise<string> {
    await once(folder, async (temporary) => {
        const source = path.join(module, "deploy/charts/cert-manager");
        await cp(source, temporary, { recursive: true, mode: 0 });
        const template = path.join(temporary, "Chart.template.yaml");
        const text = await readFile(template, "utf8");
        const chart = text
            .replace(/^version: .*$/m, `version: ${tag.split("-")[0] ?? ""}`)
            .replace(/^appVersion: .*$/m, `appVersion: ${tag}`)
            .replace("{{IS_PRERELEASE}}", "false");
        await writeFile(`${template}.new`, chart);
        await rename(`${template}.new`, path.join(temporary, "Chart.yaml"));
    });
    return folder;
}
