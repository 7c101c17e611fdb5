import { beforeEach, describe, expect, jest, test } from "@jest/globals";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import path from "node:path";
import { parse } from "yaml";
import { freePort } from "../../../app/test/support/redisServer.ts";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import type { Step } from "../../src/shell.ts";

let folder: string;
let step: Step;

interface State {
    engines: string[];
    images: string[];
    platforms: boolean;
    version?: Record<string, string>;
    killsCreate?: boolean;
    provider?: string;
    loadedPlatform?: string;
    node?: {
        status: string;
        stamp?: string;
        images: string[];
        ready: boolean;
        broken?: boolean;
        removing?: boolean;
        config: string;
    };
}

beforeEach(async () => {
    folder = makeTemporaryFolder();
    const bin = path.join(folder, "bin");
    await mkdir(bin);
    const cli = path.join(import.meta.dirname, "../support/kindCli.mjs");
    for (const name of ["docker", "podman", "nerdctl", "kind"])
        await symlink(cli, path.join(bin, name));
    process.env.PATH = `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin`;
    process.env.STATE = folder;
    process.env.XDG_CACHE_HOME = path.join(folder, "cache");
    delete process.env.KIND_EXPERIMENTAL_PROVIDER;
    step = {
        log: path.join(folder, "log"),
        signal: new AbortController().signal,
        report: () => undefined,
    };
    await writeState({ engines: ["docker"], images: [], platforms: true });
    jest.resetModules();
});

const writeState = (state: State) =>
    writeFile(path.join(folder, "state.json"), JSON.stringify(state));
const readState = async () =>
    JSON.parse(await readFile(path.join(folder, "state.json"), "utf8")) as State;
const changeNode = async (change: Partial<State["node"] & object>) => {
    const state = await readState();
    if (state.node === undefined) throw new Error("there is no node");
    Object.assign(state.node, change);
    await writeState(state);
};
const calls = async () =>
    (await readFile(path.join(folder, "calls"), "utf8").catch(() => "")).split("\n");
const count = async (call: string) => (await calls()).filter((one) => one.startsWith(call)).length;

/** As `make up` does it, with modules that read this test's environment. */
async function ensure(options: { port?: string; image?: string } = {}): Promise<number> {
    const { ensureKindCluster } = await import("../../src/kind/cluster.ts");
    const { findEngine } = await import("../../src/kind/engine.ts");
    const engine = await findEngine();
    if (engine === undefined) throw new Error("no engine");
    const { port, image } = options;
    return ensureKindCluster(step, { engine, kind: "kind" }, { port, image, readySeconds: 0 });
}

describe("ensureKindCluster", () => {
    test("makes a cluster whose gateway has a port of this machine, with a pinned image", async () => {
        const port = await freePort();
        await expect(ensure({ port: `${port}` })).resolves.toBe(port);
        const { node, provider } = await readState();
        const patches = path.join(folder, "cache/property-search/kind/patches");
        expect(provider).toBe("docker");
        expect(parse(node?.config ?? "")).toEqual({
            kind: "Cluster",
            apiVersion: "kind.x-k8s.io/v1alpha4",
            nodes: [
                {
                    role: "control-plane",
                    image: expect.stringMatching(
                        /^docker.io\/kindest\/node:v1\.\d+\.\d+@sha256:\w{64}$/,
                    ),
                    extraPortMappings: [
                        { containerPort: port, hostPort: port, listenAddress: "127.0.0.1" },
                    ],
                    extraMounts: [
                        { hostPath: patches, containerPath: "/kind/patches", readOnly: true },
                    ],
                    kubeadmConfigPatches: [
                        "kind: InitConfiguration\npatches:\n  directory: /kind/patches\n",
                    ],
                },
            ],
        });
    });

    test("its control plane leaves CPU to the colours, and its API server has the weight to answer", async () => {
        await ensure({ port: `${await freePort()}` });
        const patches = path.join(folder, "cache/property-search/kind/patches");
        const pod = (name: string, cpu: string) => ({
            spec: { containers: [{ name, resources: { requests: { cpu } } }] },
        });
        const expected = {
            "corednsdeployment.yaml": { spec: { template: pod("coredns", "20m") } },
            "etcd.yaml": pod("etcd", "40m"),
            "kube-apiserver.yaml": pod("kube-apiserver", "100m"),
            "kube-controller-manager.yaml": pod("kube-controller-manager", "20m"),
            "kube-scheduler.yaml": pod("kube-scheduler", "20m"),
        };
        const files = await readdir(patches);
        const read = async (file: string) =>
            [file, parse(await readFile(path.join(patches, file), "utf8"))] as const;
        expect(Object.fromEntries(await Promise.all(files.map(read)))).toEqual(expected);
    });

    test("keeps a complete cluster, its port and its image", async () => {
        const port = await freePort();
        await ensure({ port: `${port}`, image: "mirror.example/node:v1" });
        await expect(ensure()).resolves.toBe(port);
        expect((await readState()).node?.config).toContain("mirror.example/node:v1");
        expect(await count("kind create")).toBe(1);
        expect(await count("docker rm ")).toBe(0);
    });

    test.each([
        ["exited", "docker start"],
        ["paused", "docker unpause"],
    ])("wakes a node that is %s", async (status, call) => {
        const port = await freePort();
        await ensure({ port: `${port}` });
        await changeNode({ status });
        await expect(ensure()).resolves.toBe(port);
        expect(await count(call)).toBe(1);
        expect(await count("kind create")).toBe(1);
    });

    test("recreates a cluster whose creation was interrupted", async () => {
        const port = `${await freePort()}`;
        await writeState({ ...(await readState()), killsCreate: true });
        await expect(ensure({ port })).rejects.toThrow(/kind create cluster failed/);
        const { node, ...state } = await readState();
        expect(node?.stamp).toBeUndefined();
        await writeState({ ...state, killsCreate: false, ...(node && { node }) });
        await expect(ensure({ port })).resolves.toBe(Number(port));
        expect((await readState()).node?.stamp).toContain(port);
        expect(await count("docker rm --force --volumes")).toBe(1);
    });

    test.each<[string, Partial<State["node"] & object>, RegExp]>([
        ["does not start", { status: "exited", broken: true }, /start of the cluster's node/],
        ["does not answer", { ready: false }, /not become ready within 0 s: run make up again/],
        ["cannot be looked into", { removing: true }, /reading the cluster's configuration/],
    ])("keeps the data of a complete cluster whose node %s", async (_, change, reason) => {
        await ensure({ port: `${await freePort()}` });
        await changeNode(change);
        await expect(ensure()).rejects.toThrow(reason);
        expect(await count("kind create")).toBe(1);
        expect(await count("docker rm ")).toBe(0);
    });

    test.each(["", '{"image":'])(
        "recreates a cluster that was stopped before its creation had ended (stamp: %j)",
        async (stamp) => {
            const port = await freePort();
            await ensure({ port: `${port}` });
            await changeNode({ stamp, status: "exited" });
            await expect(ensure({ port: `${port}` })).resolves.toBe(port);
            expect(await count("kind create")).toBe(2);
        },
    );

    test("recreates a cluster that has another image or port", async () => {
        const port = `${await freePort()}`;
        await ensure({ port });
        await ensure({ image: "mirror.example/node:v1", port });
        expect((await readState()).node?.config).toContain("mirror.example/node:v1");
        await ensure({ image: "mirror.example/node:v1", port: `${await freePort()}` });
        expect(await count("kind create")).toBe(3);
    });

    test("names a port that another program has", async () => {
        const server = createServer().listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as { port: number };
        await expect(ensure({ port: `${port}` })).rejects.toThrow(
            `PORT is "${port}", on which another program of this machine listens`,
        );
        server.close();
    });
});

describe("loadImages", () => {
    const IMAGES = [["localhost/a:1", "localhost/a:2"], ["docker.io/library/redis:8"]];

    async function load(images = IMAGES): Promise<void> {
        const { loadImages } = await import("../../src/kind/cluster.ts");
        await loadImages(step, { engine: "docker", kind: "kind" }, images);
    }

    test.each([true, false])(
        "brings one platform's archives (engine knows platforms: %j)",
        async (platforms) => {
            await writeState({ ...(await readState()), platforms, images: IMAGES.flat() });
            await ensure({ port: `${await freePort()}` });
            await load();
            const { node, loadedPlatform } = await readState();
            expect(node?.images).toEqual(IMAGES.flat());
            expect(loadedPlatform).toBe(platforms ? "linux/arm64" : undefined);
            await load();
            expect(await count("kind load image-archive")).toBe(2);
        },
    );
});

describe("the repository's images", () => {
    test("are built once, without attestations, and older ones go", async () => {
        const { buildOwnImage, removeOwnImages } = await import("../../src/kind/images.ts");
        const older = ["embedding-service", "insights"].map(
            (name) => `localhost/${name}:v1.0.0-0123456789ab`,
        );
        await writeState({ ...(await readState()), images: [...older, "localhost/other:1"] });
        const service = await buildOwnImage(step, "docker", "embedding-service");
        await buildOwnImage(step, "docker", "embedding-service");
        expect(await count("docker build")).toBe(1);
        const insights = await buildOwnImage(step, "docker", "insights");
        expect((await readState()).images).toEqual([
            "localhost/other:1",
            ...service.references,
            ...insights.references,
        ]);
        expect(await readState()).toMatchObject({ attested: false });
        await removeOwnImages(step, "docker");
        expect((await readState()).images).toEqual(["localhost/other:1"]);
    });
});

describe("findEngine", () => {
    async function find(requested?: string): Promise<string | undefined> {
        const { findEngine } = await import("../../src/kind/engine.ts");
        return findEngine(requested);
    }

    test("takes the first engine that answers", async () => {
        await writeState({ ...(await readState()), engines: ["podman", "nerdctl"] });
        await expect(find()).resolves.toBe("podman");
        await expect(find("nerdctl")).resolves.toBe("nerdctl");
        await expect(find("docker")).resolves.toBeUndefined();
    });

    test("does not take podman for docker", async () => {
        const version = { docker: "podman version 5.6.0" };
        await writeState({ ...(await readState()), engines: ["docker", "podman"], version });
        await expect(find()).resolves.toBe("podman");
    });

    test("rejects what kind does not know", async () => {
        await expect(find("lxc")).rejects.toThrow(
            'KIND_EXPERIMENTAL_PROVIDER is "lxc"; allowed: docker, podman, nerdctl, or not set',
        );
    });
});
