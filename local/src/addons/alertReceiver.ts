import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { digest } from "../content.ts";
import { REPOSITORY } from "../paths.ts";
import type { Step } from "../shell.ts";
import { renderAddon, apply, waitForRollout, type AddonInputs } from "./addons.ts";

const NAME = "alert-receiver";
const NAMESPACE = NAMESPACES.monitoring;
const SOURCE = path.join(REPOSITORY, "local/src/receiver");

/** Applies the receiver of the local stack's alerts, in the stack's monitoring namespace, which must exist. */
export async function applyAlertReceiver(step: Step, inputs: AddonInputs): Promise<void> {
    step.report("alert receiver");
    const source = await createSourceMap();
    const deployment = await renderAddon(NAME, inputs, {
        NAMESPACE,
        ALERTMANAGER: MONITORING_NAMES.alertmanager,
        // A changed checksum replaces the pod, which reads its program once.
        CHECKSUM: digest(source),
    });
    await apply(step, inputs, `${source}---\n${deployment}`);
    await waitForRollout(step, inputs, NAMESPACE, NAME);
}

/** @returns the receiver's program as a ConfigMap. */
async function createSourceMap(): Promise<string> {
    const files = (await readdir(SOURCE)).sort();
    const texts = files.map(async (file): Promise<[string, string]> => {
        return [file, await readFile(path.join(SOURCE, file), "utf8")];
    });
    return stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: NAME, namespace: NAMESPACE },
        data: {
            ...Object.fromEntries(await Promise.all(texts)),
            "package.json": JSON.stringify({ type: "module" }),
        },
    });
}
