import { beforeEach, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { KUBELET_DISK } from "../../local/src/node/configuration.ts";
import { KUBECONFIG } from "../../local/src/node/start.ts";
import { PATHS, REPOSITORY } from "../../local/src/paths.ts";
import { kubernetesFolder } from "../../local/src/toolchain/programs.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

/** A kubelet collects when it starts, which may fail without statistics, and then every five minutes. */
const MILLISECONDS = 16 * 60_000;

/** Kind's node has a kubelet of its own, and its images come from registries. */
const onOwnNode = process.env.KUBECONFIG === KUBECONFIG ? test : test.skip;

let folder: string;

beforeEach(() => {
    folder = makeTemporaryFolder();
});

/**
 * @param decision what the kubelet logs, in this order, when it has decided to keep images
 * @returns names of the images that a kubelet has left, on a disk that is 90 % full
 */
async function imagesLeft(settings: object, decision: readonly string[] = []): Promise<string[]> {
    const archive = (await readdir(PATHS.images)).find((file) => /^pause-\w{12}\.tar$/.test(file));
    const script = path.join(REPOSITORY, "tests/support/fullDisk.sh");
    const kubelet = path.join(await kubernetesFolder(), "kubelet");
    const images = path.join(PATHS.images, archive ?? "pause");
    const args = [script, folder, kubelet, stringify(settings), decision.join("\n"), images];
    const { stdout } = await promisify(execFile)("bash", args, {
        killSignal: "SIGKILL",
        timeout: MILLISECONDS,
    });
    return stdout.split("\n").filter((name) => name.startsWith("localhost/"));
}

onOwnNode(
    "a kubelet by its default threshold collects images of a full disk, used by no container",
    async () => {
        expect(await imagesLeft({ imageGCHighThresholdPercent: 85 })).toEqual([]);
    },
    MILLISECONDS,
);

onOwnNode(
    "the pressure of a full disk alone takes them too",
    async () => {
        const pressure = { evictionHard: { "nodefs.available": "20%" } };
        expect(await imagesLeft({ imageGCHighThresholdPercent: 100, ...pressure })).toEqual([]);
    },
    MILLISECONDS,
);

onOwnNode(
    "the node's kubelet leaves them",
    async () => {
        const left = await imagesLeft(KUBELET_DISK, [
            "Disable image GC",
            'log="observations" signal="nodefs.available"',
            "no resources are starved",
        ]);
        expect(left).toEqual([expect.stringMatching(/^localhost\/pause:/)]);
    },
    MILLISECONDS,
);
