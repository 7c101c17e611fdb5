import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { GENERATED_SECRETS } from "@property-search/contract";
import { makeTemporaryFolder } from "../../../../tests/support/temporaryFolder.ts";
import type { Cluster } from "../../../cluster/connect.ts";
import { clusterId, stackOfCluster } from "../../../deploy/binding.ts";
import { deploy } from "../../../deploy/deploy.ts";
import { waitUntilUnlocked } from "../../../deploy/pulumi/locks.ts";
import { pulumiDestroy } from "../../../deploy/pulumi/destroy.ts";
import {
    pulumiPreview,
    requirePreview,
    type PreviewOptions,
} from "../../../deploy/pulumi/preview.ts";
import { readStackApiKey } from "../../../deploy/pulumi/secret.ts";
import { pulumiUp, type PulumiUpOptions } from "../../../deploy/pulumi/up.ts";
import { storeGeneratedSecrets } from "../../../deploy/userStack.ts";
import { pulumiStore } from "../../../rotate/store.ts";
import { startApiServer, type ApiServer } from "../../support/apiServer.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../..");
const PACK = `--policy-pack ${ROOT}/policies --policy-pack-config ${ROOT}/policies/stacks/dev.json`;
const environment = { ...process.env };

let folder: string;
let reported: string[];

beforeEach(async () => {
    folder = makeTemporaryFolder();
    reported = [];
    await mkdir(path.join(folder, "bin"));
    process.env.PATH = path.join(folder, "bin");
    process.env.XDG_STATE_HOME = path.join(folder, "state");
    for (const name of ["API_KEY", "PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"]) {
        Reflect.deleteProperty(process.env, name);
    }
});

afterEach(() => {
    process.env = { ...environment };
});

/** Installs a program into an otherwise empty PATH. */
async function install(name: string, script = ""): Promise<void> {
    const file = path.join(folder, "bin", name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
}

/** Shell commands that replace the CLI's default, by the prefix of its arguments. */
type Answers = Readonly<Record<string, string>>;

/** Installs a CLI that records its arguments and has neither login nor config. */
async function installPulumi(answers: Answers = {}): Promise<void> {
    await install("pulumi-language-nodejs");
    await install("pulumi-resource-kubernetes");
    const cases = {
        ...answers,
        whoami: "exit 1",
        "stack export": answers["stack export"] ?? "echo '{}'",
        "config get": answers["config get"] ?? "echo 'configuration key x not found' >&2; exit 1",
    };
    const script = `echo "$*" >> '${folder}/invocations'
for word; do [ "$before" = --event-log ] && log=$word; before=$word; done
case "$*" in
${Object.entries(cases)
    .map(([words, commands]) => `    "${words}"*) ${commands} ;;`)
    .join("\n")}
esac`;
    await install("pulumi", script);
}

const invocations = async (command: string) =>
    (await readFile(path.join(folder, "invocations"), "utf8"))
        .split("\n")
        .filter((line) => line.startsWith(`${command} `));

/** An empty cluster. */
const cluster = {
    context: "some",
    server: "https://cluster.example",
    objects: {
        read: () => Promise.reject(Object.assign(new Error("absent"), { code: 404 })),
        list: () => Promise.resolve({ items: [] }),
    },
    exportKubeconfig: () => "",
} as unknown as Cluster;

const preview = (more: Partial<PreviewOptions> = {}) =>
    pulumiPreview({ cluster, stack: "dev", report: (line) => reported.push(line), ...more });

const up = (more: Partial<PulumiUpOptions> = {}) =>
    pulumiUp({
        stack: "dev",
        kubeconfig: "",
        config: { "blue.version": "v7" },
        stateFolder: path.join(folder, "workspace"),
        knownSecrets: {},
        exists: () => Promise.resolve(false),
        findStuckPods: () => Promise.resolve([]),
        isSwitching: () => Promise.resolve(false),
        report: (line) => reported.push(line),
        ...more,
    });

/** Shell commands that log events of an update. */
const logging = (...events: readonly object[]) =>
    events.map((event) => `echo '${JSON.stringify(event)}' >> "$log"`).join("; ");
const step = (op: string, kind: string) => ({
    resourcePreEvent: {
        metadata: {
            op,
            urn: `urn:${kind}`,
            type: `kubernetes:apps/v1:${kind}`,
            new: { inputs: { kind, metadata: { namespace: "blue", name: "one" } } },
        },
    },
});

test("a preview runs the policy pack, and its report starts with the headline", async () => {
    await installPulumi({ preview: logging(step("update", "Deployment"), step("same", "Job")) });
    expect(await preview()).toMatch(/^Stack dev: 1 to update, 1 unchanged\n/);
    const [words] = await invocations("preview");
    expect(words).toContain(`${PACK} --stack dev --config-file `);
    expect(words).not.toContain("--refresh");
    expect(existsSync(PACK.split(" ")[3] ?? "")).toBe(true);
});

test("a preview of a new stack creates it and generates temporary secrets", async () => {
    const tracked = path.join(ROOT, "Pulumi.dev.yaml");
    const before = await readFile(tracked, "utf8");
    await installPulumi({ "stack export": "echo \"no stack named 'dev' found\" >&2; exit 255" });
    expect(await preview()).toMatch(/^Stack dev: no changes/);
    expect(await invocations("stack")).toContain("stack init dev --no-select --non-interactive");
    const set = await invocations("config set");
    expect(set.map((words) => words.split(" ")[2])).toEqual(
        GENERATED_SECRETS.map((key) => `property-search:${key}`),
    );
    expect(reported.join("\n")).toMatch(/had no stack dev: created an empty one/);
    expect(await readFile(tracked, "utf8")).toBe(before);
    const [stateFolder = ""] = await readdir(path.join(folder, "state/property-search/pulumi"));
    const files = await readdir(path.join(folder, "state/property-search/pulumi", stateFolder));
    expect(files.toSorted()).toEqual(["backend", "kubeconfig", "passphrase"]);
});

test("secrets with another passphrase end a deploy before it binds the stack", async () => {
    await installPulumi({ "config get": "echo 'error: incorrect passphrase' >&2; exit 1" });
    const onAccepted = () => Promise.reject(new Error("too late"));
    await expect(up({ onAccepted })).rejects.toThrow(
        /secrets in Pulumi\.dev\.yaml are encrypted with another passphrase: log in to the backend/,
    );
});

test("a deployed stack gets no new secrets from a clone without them", async () => {
    const object = { kind: "Service", metadata: { name: "one" } };
    const state = { deployment: { resources: [{ urn: "urn:one", inputs: object }] } };
    await installPulumi({ "stack export": `echo '${JSON.stringify(state)}'` });
    const words = /stack dev is deployed, and Pulumi\.dev\.yaml has none of its secrets: check out/;
    await expect(up()).rejects.toThrow(words);
    await expect(preview()).rejects.toThrow(words);
    expect(await invocations("config")).toEqual([]);
    // An apply's record has them.
    await up({ knownSecrets: { "admin.token": "known" } });
});

test("an update waits for a running one, and names its holder if that does not end", async () => {
    const backendFolder = path.join(folder, "backend");
    const locks = path.join(backendFolder, ".pulumi/locks/organization/property-search/dev");
    await mkdir(locks, { recursive: true });
    const lock = { pid: process.pid, username: "ann", hostname: hostname() };
    await writeFile(path.join(locks, "one.json"), JSON.stringify(lock));
    const report = (line: string) => reported.push(line);
    const wait = (timeoutSeconds: number) =>
        waitUntilUnlocked({ backendFolder, stack: "dev" }, { report, timeoutSeconds });
    await expect(wait(0)).rejects.toThrow(
        /stack dev is being updated by ann@\S+ \(pid \d+\): .* pulumi cancel --stack dev/,
    );
    const waiting = wait(60);
    await rm(path.join(locks, "one.json"));
    await waiting;
    const dead = { ...lock, pid: 2 ** 22 + 1 };
    await writeFile(path.join(locks, "dead.json"), JSON.stringify(dead));
    await wait(0);
    expect(await readdir(locks)).toEqual([]);
    expect(reported.at(-1)).toBe("released the lock of an earlier update that was killed");
});

test("an update that loses the lock to another one is repeated", async () => {
    const locked = "error: the stack is currently locked by 1 lock(s)";
    const isFirst = `[ ! -e '${folder}/tried' ] && : > '${folder}/tried'`;
    await installPulumi({ up: `if ${isFirst}; then echo '${locked}'; exit 255; fi` });
    await up();
    expect(await invocations("up")).toHaveLength(2);
});

test("a rotation writes only the secret into the stack's file", async () => {
    const encrypt = `for word; do [ "$before" = --config-file ] && file=$word; before=$word; done
        printf 'config:\n  property-search:admin.token:\n    secure: v1:x\n' > "$file"`;
    await installPulumi({ "config set": encrypt });
    await withCluster(async ({ cluster: double }, stackFile) => {
        const before = await readFile(stackFile, "utf8");
        const report = (line: string) => reported.push(line);
        const store = await pulumiStore({ cluster: double, stack: "dev", report });
        await store.write({ "admin.token": "new" });
        const added = "    property-search:admin.token:\n        secure: v1:x\n";
        expect(await readFile(stackFile, "utf8")).toBe(before + added);
        await store.write({ "admin.token": undefined });
        expect(await readFile(stackFile, "utf8")).toBe(before);
    });
});

test("a refresh finds drift, which fails", async () => {
    await installPulumi({ preview: logging(step("create", "NetworkPolicy")) });
    await expect(preview({ drift: true })).rejects.toMatchObject({
        message: "Stack dev has drifted; restoring it: 1 to create, 0 unchanged",
        report: expect.stringContaining("Changes by component:\n"),
    });
    expect(await invocations("preview")).toEqual([expect.stringContaining("--refresh ")]);
});

test("a field of another owner does not stop the search for drift", async () => {
    const found = logging(step("update", "Deployment"), step("update", "HTTPRoute"));
    const forced = '[ "$PULUMI_K8S_ENABLE_PATCH_FORCE" = true ]';
    await installPulumi({ preview: `${forced} || { echo conflict >&2; exit 1; }; ${found}` });
    await expect(preview({ drift: true })).rejects.toMatchObject({
        message: "Stack dev has drifted; restoring it: 2 to update, 0 unchanged",
    });
});

test("a preview that fails without events reports the CLI's output", async () => {
    await installPulumi({ preview: "echo 'error: no such backend' >&2; exit 255" });
    await expect(preview()).rejects.toMatchObject({
        message: expect.stringContaining("the preview failed with 1 errors"),
        report: expect.stringContaining("error: no such backend"),
    });
});

test("an unreachable cluster is reported with the cause", async () => {
    await installPulumi();
    const cause = new Error("connect ECONNREFUSED 127.0.0.1:1");
    const read = () => Promise.reject(new Error("fetch failed", { cause }));
    const unreachable = { ...cluster, objects: { read } } as unknown as Cluster;
    await expect(preview({ cluster: unreachable })).rejects.toThrow(
        "the cluster of context some (https://cluster.example) does not answer: connect ECONNREFUSED",
    );
});

test("a missing passphrase is reported with the remedy", async () => {
    await installPulumi({
        "stack export": "echo \"no stack named 'dev' found\" >&2; exit 255",
        "stack init": "echo 'passphrase must be set with PULUMI_CONFIG_PASSPHRASE' >&2; exit 255",
    });
    await expect(preview()).rejects.toThrow(
        "pulumi stack init failed: the secrets of stack dev are encrypted with a passphrase: set PULUMI_CONFIG_PASSPHRASE",
    );
});

test.each([
    [[], "the Pulumi CLI is not on PATH"],
    [["pulumi"], "Pulumi's nodejs language host is not on PATH"],
    [["pulumi", "pulumi-language-nodejs"], "Pulumi's plugin kubernetes"],
])("a preview with %j reports what is missing, and the alternatives", async (names, what) => {
    for (const name of names) await install(name, "echo '[]'");
    await expect(requirePreview("prod")).rejects.toThrow(
        new RegExp(`a preview needs Pulumi, but ${what}.*make policies STACK=prod`),
    );
});

test("an update refreshes first, and runs the policy pack", async () => {
    await installPulumi();
    await up();
    expect(await invocations("up")).toEqual([expect.stringContaining("--refresh ")]);
    expect(await invocations("up")).toEqual([expect.stringContaining(PACK)]);
    expect(await readFile(path.join(folder, "workspace/Pulumi.dev.yaml"), "utf8")).toContain("v7");
});

test("an update removes the files that a killed update left in the state folder", async () => {
    await installPulumi();
    const workspace = path.join(folder, "workspace");
    const left = ["events-dev", "draft-dev", "preview-events"].map(
        (name) => `${name}.pid${2 ** 22 + 1}.json`,
    );
    await mkdir(workspace);
    for (const name of left) await writeFile(path.join(workspace, name), "");
    await up();
    const files = await readdir(workspace);
    expect(files.filter((name) => name.includes(".pid"))).toEqual([]);
});

test("an object that already exists ends the update with its remedy, which adopts it", async () => {
    const exists =
        "was not successfully created by the Kubernetes API server: namespaces x already exists";
    const adopted = '[ "$PULUMI_K8S_UPSERT_EXISTING_OBJECTS" = true ]';
    await installPulumi({ up: `${adopted} || { echo 'error: ${exists}'; exit 255; }` });
    await expect(up()).rejects.toThrow(/failed with exit code 255.*ADOPT=1/);
    await up({ adopt: true });
});

test("a rejected config changes nothing, and all problems are reported at once", async () => {
    await installPulumi();
    await up();
    const copy = path.join(folder, "workspace/Pulumi.dev.yaml");
    const before = await readFile(copy, "utf8");
    const config = { "service.minReplicas": "many", "traffic.weights": '{"blue":90,"green":20}' };
    const failed = up({ config });
    await expect(failed).rejects.toThrow(/service\.minReplicas is "many"/);
    await expect(failed).rejects.toThrow(/traffic\.weights/);
    expect(await readFile(copy, "utf8")).toBe(before);
    expect(await invocations("up")).toHaveLength(1);
    expect(await readdir(path.join(folder, "workspace"))).not.toContainEqual(
        expect.stringContaining("draft"),
    );
});

/** Runs code with an empty cluster, and restores the stack's file afterwards. */
async function withCluster(act: (api: ApiServer, stackFile: string) => Promise<void>) {
    const api = await startApiServer();
    const metadata = { name: "kube-system", labels: { of: "the cluster" } };
    await api.apply("kube-apiserver", { apiVersion: "v1", kind: "Namespace", metadata });
    const tracked = path.join(ROOT, "Pulumi.dev.yaml");
    const before = await readFile(tracked, "utf8");
    try {
        await act(api, tracked);
    } finally {
        await writeFile(tracked, before);
        api.close();
    }
}

test("secrets for manual pulumi come with the name of the cluster", async () => {
    await installPulumi();
    await withCluster(async ({ cluster: double }, stackFile) => {
        const report = (line: string) => reported.push(line);
        expect(await storeGeneratedSecrets({ cluster: double, stack: "dev", report })).toBe(
            GENERATED_SECRETS.length,
        );
        const text = await readFile(stackFile, "utf8");
        expect(text).toContain(`property-search:cluster.id: ${await clusterId(double)}`);
        expect(await stackOfCluster(double)).toBeUndefined();
    });
});

test("a rejected deploy binds neither the stack nor the cluster", async () => {
    await installPulumi();
    await withCluster(async (api, stackFile) => {
        const kubeconfig = path.join(folder, "kubeconfig");
        await writeFile(kubeconfig, api.cluster.exportKubeconfig());
        const before = await readFile(stackFile, "utf8");
        const config = { "service.minReplicas": "many" };
        const report = (line: string) => reported.push(line);
        const failed = deploy({ stack: "dev", kubeconfig, config, report });
        await expect(failed).rejects.toThrow(/service\.minReplicas is "many"/);
        expect(await stackOfCluster(api.cluster)).toBeUndefined();
        expect(await readFile(stackFile, "utf8")).toBe(before);
    });
});

test("an update ends early with the reason if a pod cannot start", async () => {
    await installPulumi({
        up: `${logging(step("update", "Deployment"))}; trap 'exit 255' INT; while :; do :; done`,
    });
    const invocations: string[][] = [];
    const stuck: PulumiUpOptions["findStuckPods"] = (workloads) => {
        invocations.push(workloads.map(({ kind, name }) => `${kind} ${name}`));
        return Promise.resolve(workloads.length > 0 ? ["blue/one-x, container service: Why"] : []);
    };
    await expect(up({ findStuckPods: stuck, stuckMilliseconds: 100 })).rejects.toThrow(
        "ended early, since pods cannot start:\n  blue/one-x, container service: Why",
    );
    expect(invocations.at(-1)).toEqual(["Deployment one"]);
});

test("destroy deletes the objects of the stack's state, and nothing without a stack", async () => {
    const object = { kind: "Service", metadata: { name: "one" } };
    const state = { deployment: { resources: [{ urn: "urn:one", inputs: object }] } };
    await installPulumi({ "stack export": `echo '${JSON.stringify(state)}'` });
    const options = { cluster, stack: "dev", report: (line: string) => reported.push(line) };
    expect(await pulumiDestroy(options)).toBe(1);
    expect(await invocations("destroy")).toEqual([expect.stringContaining("--yes --skip-preview")]);
    await installPulumi({ "stack export": "echo 'no stack named dev' >&2; exit 255" });
    expect(await pulumiDestroy(options)).toBe(0);
});

test("the API key of a Pulumi stack comes from its config", async () => {
    await installPulumi({ "config get": "echo the-key" });
    const report = (line: string) => reported.push(line);
    expect(await readStackApiKey({ cluster, stack: "prod", report })).toBe("the-key");
    expect((await invocations("config"))[0]).toContain(
        "config get property-search:tenants.platformKey",
    );
    process.env.API_KEY = "given";
    expect(await readStackApiKey({ cluster, stack: "prod", report })).toBe("given");
});

test("an unreadable API key is reported, and a missing one is undefined", async () => {
    await installPulumi({ "config get": "echo 'incorrect passphrase' >&2; exit 255" });
    const report = (line: string) => reported.push(line);
    expect(await readStackApiKey({ cluster, stack: "prod", report })).toBeUndefined();
    expect(reported.join("\n")).toMatch(
        /no API key of stack prod: .*encrypted with another passphrase/,
    );
    await installPulumi();
    reported.length = 0;
    expect(await readStackApiKey({ cluster, stack: "prod", report })).toBeUndefined();
    expect(reported.filter((line) => line.includes("API key"))).toEqual([]);
});
