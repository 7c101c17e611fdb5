import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { digest } from "../content.ts";
import { REPOSITORY } from "../paths.ts";
import type { Step } from "../shell.ts";
import { addon, apply, rolledOut, type AddonInputs } from "./addons.ts";

const NAME = "alert-inbox";
const NAMESPACE = NAMESPACES.monitoring;
const SOURCE = path.join(REPOSITORY, "local/src/inbox");

/** The receiver of the local stack's alerts, in the stack's own namespace, which must be there. */
export async function applyAlertInbox(step: Step, inputs: AddonInputs): Promise<void> {
    step.say("alert inbox");
    const source = await sourceMap();
    const deployment = await addon(NAME, inputs, {
        NAMESPACE,
        ALERTMANAGER: MONITORING_NAMES.alertmanager,
        // A pod reads its program once: another program is another pod.
        CHECKSUM: digest(source),
    });
    await apply(step, inputs, `${source}---\n${deployment}`);
    await rolledOut(step, inputs, NAMESPACE, NAME);
}

/** The inbox's program as a ConfigMap. */
async function sourceMap(): Promise<string> {
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
