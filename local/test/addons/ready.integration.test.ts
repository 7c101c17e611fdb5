import { beforeEach, describe, expect, test } from "@jest/globals";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { waitForMetricsServer, type AddonInputs } from "../../src/addons/addons.ts";
import { waitForKeda } from "../../src/addons/keda.ts";
import { LocalError, type Step } from "../../src/shell.ts";

let folder: string;
let step: Step;

beforeEach(() => {
    folder = makeTemporaryFolder();
    const { signal } = new AbortController();
    step = { log: path.join(folder, "log"), signal, report: () => undefined };
});

/** A cluster whose Deployments are all rolled out, and whose API server reaches one of the addons' APIs. */
async function clusterWhere(api: string): Promise<AddonInputs> {
    const kubectl = path.join(folder, "kubectl");
    const succeeds = `*"rollout status"*|*"wait --for=condition=Available apiservice/${api} "*) ;;`;
    await writeFile(kubectl, `#!/bin/sh\ncase "$*" in ${succeeds} *) exit 1 ;; esac\n`);
    await chmod(kubectl, 0o755);
    const gateway = { address: "127.0.0.1", port: 8080 };
    return { kubectl, kubeconfig: "none", gateway, images: [] };
}

describe("the wait for an addon that serves an API", () => {
    test.each([
        ["v1beta1.metrics.k8s.io", waitForMetricsServer],
        ["v1beta1.external.metrics.k8s.io", waitForKeda],
    ])("ends when the API server reaches %s, and fails when it does not", async (api, wait) => {
        await wait(step, await clusterWhere(api));
        await expect(wait(step, await clusterWhere("another"))).rejects.toThrow(LocalError);
    });
});
