import { mkdir, readdir, writeFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { makeTemporaryFolder } from "../../../../tests/support/temporaryFolder.ts";
import { folderFromUrl } from "../../../deploy/pulumi/backend.ts";
import { releaseDeadLocks } from "../../../deploy/pulumi/locks.ts";
import { pendingCreates, refreshArgs } from "../../../deploy/pulumi/pending.ts";
import { createProgress } from "../../../deploy/pulumi/progress.ts";
import { sharedUrns } from "../../../deploy/pulumi/state.ts";

describe("the output of pulumi up", () => {
    test("is reported once, without ticks and dots", () => {
        const progress = createProgress();
        const lines = [
            "Updating (local):",
            "@ updating.....",
            " +  kubernetes:core/v1:Namespace edge creating (0s) ",
            " +  kubernetes:core/v1:Namespace edge created (0.06s) ",
            " +  kubernetes:core/v1:Namespace edge created (0.06s) ",
            "",
            " ~  kubernetes:core/v1:Secret keys updating (3s) error: no such namespace",
        ].map((line) => progress.filter(line));
        expect(lines.filter((line) => line !== undefined)).toEqual([
            "Updating (local):",
            " +  kubernetes:core/v1:Namespace edge created (0.06s)",
            " ~  kubernetes:core/v1:Secret keys updating (3s) error: no such namespace",
        ]);
    });

    test("is reported without unchanged resources", () => {
        const progress = createProgress();
        const lines = [
            "warning: using pulumi-language-nodejs from $PATH at /bin/pulumi-language-nodejs",
            "    pulumi:pulumi:Stack property-search-dev  warning: using pulumi-resource-kubernetes from $PATH",
            " ~  pulumi:pulumi:Stack property-search-dev refreshing (0s) warning: resource plugin is old",
            " ~  property-search:index:Namespaces namespaces refreshing (0s)",
            " ~  kubernetes:core/v1:Secret keys refresh (0.00s)",
            " ~  kubernetes:apps/v1:Deployment blue-deployment refreshing (1s) Deployment initialization complete",
            "    kubernetes:apps/v1:Deployment blue-deployment ",
            " ~  kubernetes:apps/v1:Deployment blue-deployment refresh (0.10s) [diff: ~spec]",
            " -  kubernetes:networking.k8s.io/v1:NetworkPolicy blue-allow-dns refresh deleted (0.01s)",
            "Diagnostics:",
            "  pulumi:pulumi:Stack (property-search-dev):",
            "    warning: resource plugin is old",
            "    error: update failed",
        ].map((line) => progress.filter(line));
        expect(lines.filter((line) => line !== undefined)).toEqual([
            " ~  kubernetes:apps/v1:Deployment blue-deployment refresh (0.10s) [diff: ~spec]",
            " -  kubernetes:networking.k8s.io/v1:NetworkPolicy blue-allow-dns refresh deleted (0.01s)",
            "Diagnostics:",
            "  pulumi:pulumi:Stack (property-search-dev):",
            "    warning: resource plugin is old",
            "    error: update failed",
        ]);
    });

    test("is summarized by its counts", () => {
        const progress = createProgress();
        for (const line of ["Resources:", "    ~ 2 updated", "    70 unchanged"])
            progress.filter(line);
        expect(progress.summary()).toBe("2 updated, 70 unchanged");
        expect(createProgress().summary()).toBe("nothing to do");
    });

    test("shows an interrupt", () => {
        const progress = createProgress();
        expect(progress.isCancelling()).toBe(false);
        progress.filter(
            "^C received; cancelling. If you would like to terminate immediately, press ^C again.",
        );
        expect(progress.isCancelling()).toBe(true);
    });
});

describe("locks of a file backend", () => {
    let backend: string;
    let locks: string;

    beforeEach(() => {
        backend = makeTemporaryFolder();
        locks = path.join(backend, ".pulumi/locks/organization/project/stack");
    });

    async function lock(name: string, pid: number, host: string, at = new Date()): Promise<void> {
        await mkdir(locks, { recursive: true });
        const content = { pid, hostname: host, timestamp: at.toISOString() };
        await writeFile(path.join(locks, name), JSON.stringify(content));
    }

    test("are removed for dead processes; those of live processes and other machines stay", async () => {
        const dead = 2 ** 22 + 1;
        await lock("dead.json", dead, hostname());
        await lock("alive.json", process.pid, hostname());
        await lock("reused.json", process.pid, hostname(), new Date("2026-01-01"));
        await lock("elsewhere.json", dead, "another-machine");
        expect(await releaseDeadLocks(backend, "project", "stack")).toBe(2);
        expect((await readdir(locks)).toSorted()).toEqual(["alive.json", "elsewhere.json"]);
    });

    test("may be absent", async () => {
        expect(await releaseDeadLocks(backend, "project", "stack")).toBe(0);
        expect(await releaseDeadLocks(undefined, "project", "stack")).toBe(0);
    });

    test.each([
        ["file:///srv/state", "/srv/state"],
        ["file://~", homedir()],
        ["file://~/state", `${homedir()}/state`],
        ["s3://bucket", undefined],
        ["https://api.pulumi.com", undefined],
        [undefined, undefined],
    ])("of %s are in %s", (url, folder) => {
        expect(folderFromUrl(url)).toBe(folder);
    });
});

describe("pending creations of a killed update", () => {
    const pending = (type: string, inputs: unknown) => ({
        type,
        resource: { urn: `urn:${type}`, inputs },
    });
    const secret = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "keys", namespace: "blue" },
    };

    test("are read with their identity", () => {
        const exported = JSON.stringify({
            deployment: {
                pending_operations: [
                    pending("creating", secret),
                    pending("updating", secret),
                    pending("creating", undefined),
                ],
            },
        });
        expect(pendingCreates(exported)).toEqual([
            {
                urn: "urn:creating",
                apiVersion: "v1",
                kind: "Secret",
                name: "keys",
                namespace: "blue",
            },
        ]);
        expect(pendingCreates('{"version":3,"deployment":null}')).toEqual([]);
    });

    test("are imported by the provider's id, or dropped", () => {
        const namespace = { urn: "urn:n", apiVersion: "v1", kind: "Namespace", name: "blue" };
        const pendingObjects = [
            { urn: "urn:s", apiVersion: "v1", kind: "Secret", name: "keys", namespace: "blue" },
        ];
        expect(refreshArgs([...pendingObjects, namespace]).join(" ")).toBe(
            "refresh --yes --skip-preview --clear-pending-creates " +
                "--import-pending-creates urn:s --import-pending-creates blue/keys " +
                "--import-pending-creates urn:n --import-pending-creates blue",
        );
        expect(refreshArgs([])).toContain("--clear-pending-creates");
    });
});

test("only objects that a switch sets are excluded from an update", () => {
    const resource = (kind: string, name: string) => ({
        urn: `urn:${kind}-${name}`,
        inputs: { apiVersion: "g/v1", kind, metadata: { name } },
    });
    const resources = [
        { urn: "urn:stack" },
        resource("HTTPRoute", "embedding-service"),
        resource("HTTPRoute", "embedding-service-redirect"),
        resource("ScaledObject", "embedding-service-blue"),
        resource("HorizontalPodAutoscaler", "embedding-service-green"),
        resource("Deployment", "embedding-service-green"),
    ];
    expect(sharedUrns(JSON.stringify({ deployment: { resources } }))).toEqual([
        "urn:HTTPRoute-embedding-service",
        "urn:ScaledObject-embedding-service-blue",
        "urn:HorizontalPodAutoscaler-embedding-service-green",
    ]);
    expect(sharedUrns('{"version":3,"deployment":null}')).toEqual([]);
});
