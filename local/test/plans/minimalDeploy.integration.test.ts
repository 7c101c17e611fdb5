import { beforeEach, describe, expect, test } from "@jest/globals";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import {
    minimalDeployTasks,
    isComplete,
    type CompletableContext,
} from "../../src/plans/minimalDeploy.ts";
import type { Step } from "../../src/shell.ts";
import { steps } from "../../src/tasks.ts";

let folder: string;
let step: Step;

beforeEach(() => {
    folder = makeTemporaryFolder();
    const signal = new AbortController().signal;
    step = { log: path.join(folder, "log"), signal, report: () => undefined };
});

/** A mock of kubectl that knows these objects and ignores others, as with `--ignore-not-found`. */
function clusterWith(...objects: string[]) {
    const kubectl = path.join(folder, "kubectl");
    const cases = objects.map((name) => `case "$*" in *" ${name}") echo "${name}";; esac`);
    writeFileSync(kubectl, `#!/bin/sh\n${cases.join("\n")}\n`);
    chmodSync(kubectl, 0o755);
    return { kubectl, kubeconfig: "config", gateway: GATEWAY, images: [] };
}

const GATEWAY = { address: "10.0.0.1", port: 8080 };

describe("a cluster is complete", () => {
    const KEDA = "customresourcedefinition/scaledobjects.keda.sh";
    const PROMETHEUS = "statefulset/prometheus";

    test.each([
        ["with monitoring and KEDA", [KEDA, PROMETHEUS], true],
        ["not before it is watched", [KEDA], false],
        ["not before KEDA is installed", [PROMETHEUS], false],
        ["not when it is new", [], false],
    ])("%s", async (_, objects, expected) => {
        expect(await isComplete(step, clusterWith(...objects))).toBe(expected);
    });

    test("or not is no guess when it does not answer", async () => {
        const kubectl = path.join(folder, "nowhere");
        const inputs = { kubectl, kubeconfig: "config", gateway: GATEWAY, images: [] };
        await expect(isComplete(step, inputs)).rejects.toThrow("is not installed");
    });
});

test("what serves is deployed alone to a cluster that is not complete, and to no other", () => {
    const step = steps<CompletableContext>(new AbortController().signal);
    const tasks = minimalDeployTasks(step, { stack: "local" }, () => ({}));
    const enabled = (complete: boolean) =>
        tasks.map((task) => (task.enabled as (made: CompletableContext) => boolean)({ complete }));
    expect(enabled(false)).toEqual([true, true]);
    expect(enabled(true)).toEqual([false, false]);
});
