import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { applyStack, tiersOf, mergeReferences } from "../../../deploy/apply/apply.ts";
import { keyOf, messageOf, statusOf, type Manifest } from "../../../cluster/connect.ts";
import { createRecord, readRecord, writeRecord } from "../../../deploy/apply/record.ts";
import { startApiServer, type ApiServer } from "../../support/apiServer.ts";

const object = (kind: string, name: string, apiVersion = "v1"): Manifest => ({
    apiVersion,
    kind,
    metadata: { name, namespace: "n" },
});

describe("tiersOf", () => {
    test("puts dependencies of pods before pods, and the route last", () => {
        const kinds = [
            "HTTPRoute",
            "Middleware",
            "Deployment",
            "Secret",
            "Namespace",
            "Service",
            "ResourceQuota",
        ];
        const tiers = tiersOf(kinds.map((kind) => object(kind, "x")));
        expect(tiers.map((tier) => tier.map(({ kind }) => kind))).toEqual([
            ["Namespace"],
            ["ResourceQuota"],
            ["Secret"],
            ["Middleware", "Service"],
            ["Deployment"],
            ["HTTPRoute"],
        ]);
    });

    test("loses no object", () => {
        const manifests = ["A", "B", "Secret", "Secret"].map((kind, index) =>
            object(kind, String(index)),
        );
        expect(tiersOf(manifests).flat()).toHaveLength(manifests.length);
    });
});

describe("keyOf", () => {
    test("is the same for two versions of one API group, so that an upgrade prunes nothing", () => {
        const before = { apiVersion: "autoscaling/v1", kind: "X", namespace: "n", name: "a" };
        expect(keyOf({ ...before, apiVersion: "autoscaling/v2" })).toBe(keyOf(before));
    });

    test.each([
        ["group", { apiVersion: "other/v1" }],
        ["kind", { kind: "Y" }],
        ["namespace", { namespace: "m" }],
        ["name", { name: "b" }],
    ])("differs by %s", (_, change) => {
        const one = { apiVersion: "g/v1", kind: "X", namespace: "n", name: "a" };
        expect(keyOf({ ...one, ...change })).not.toBe(keyOf(one));
    });
});

test("mergeReferences has each object once, with its newer API version", () => {
    const old = { apiVersion: "g/v1beta1", kind: "X", name: "a" };
    const other = { apiVersion: "v1", kind: "Y", name: "b" };
    const now = { ...old, apiVersion: "g/v1" };
    expect(mergeReferences([old, other], [now])).toEqual([now, other]);
});

describe("API errors", () => {
    test("have the server's message, whether their body was parsed or not", () => {
        const body = { message: 'quota "x" exceeded' };
        expect(messageOf({ code: 403, body })).toBe(body.message);
        expect(messageOf({ code: 403, body: JSON.stringify(body) })).toBe(body.message);
        expect(messageOf(new Error("plain"))).toBe("plain");
        expect(messageOf({ code: 500, body: "<html>" })).toBe("[object Object]");
    });

    test("have a status only if the server responded", () => {
        expect(statusOf({ code: 409 })).toBe(409);
        expect(statusOf(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }))).toBe(
            undefined,
        );
    });
});

describe("a write that the API server rejects temporarily", () => {
    let api: ApiServer;

    beforeEach(async () => {
        api = await startApiServer();
    });

    afterEach(() => api.close());

    /** Deploys one object whose first writes are rejected. @returns the number of writes */
    async function deployRefused(times: number, refusal: { status: number; retryAfter?: string }) {
        let writes = 0;
        api.onWrite = (kind) => {
            if (kind !== "ConfigMap") return;
            writes += 1;
            if (writes <= times) api.refusals.push(refusal);
        };
        const { cluster } = api;
        const record = await createRecord(cluster, "s", {});
        const manifests = [object("ConfigMap", "x")];
        const options = { cluster, stack: "s", manifests, record, report: () => undefined };
        const error: unknown = await applyStack(options).then(
            () => undefined,
            (reason: unknown) => reason,
        );
        return { writes, error };
    }

    test("is not retried again after ten responses with Retry-After", async () => {
        const { writes, error } = await deployRefused(99, { status: 429, retryAfter: "0" });
        expect(error).toMatchObject({ message: "ConfigMap n/x: not now" });
        expect(writes).toBe(11);
    });

    test("is retried without Retry-After, as for a webhook that is not ready", async () => {
        const { writes, error } = await deployRefused(1, { status: 503 });
        expect(error).toBeUndefined();
        expect(writes).toBe(2);
    });
});

describe("two commands at once on one stack", () => {
    let api: ApiServer;
    const overtake = async () => {
        const record = await readRecord(api.cluster, "s");
        if (!record) throw new Error("the stack has no record");
        await writeRecord(api.cluster, "s", { ...record, secrets: { password: "rotated" } });
    };
    const deployOvertaken = async (byWriteOf: string) => {
        const { cluster } = api;
        const record = await createRecord(cluster, "s", { password: "old" });
        api.onWrite = async (kind) => {
            if (kind !== byWriteOf) return;
            api.onWrite = () => undefined;
            await overtake();
        };
        const manifests = [object("ConfigMap", "x")];
        await applyStack({ cluster, stack: "s", manifests, record, report: () => undefined });
    };

    beforeEach(async () => {
        api = await startApiServer();
    });

    afterEach(() => api.close());

    test.each([
        ["before it has written anything", "Secret"],
        ["while it writes its objects", "ConfigMap"],
    ])(
        "a deploy that a rotation overtakes %s keeps the new secret, and says so",
        async (_, kind) => {
            await expect(deployOvertaken(kind)).rejects.toThrow(
                /another command has deployed stack s to double or changed its secrets meanwhile/,
            );
            expect(await readRecord(api.cluster, "s")).toMatchObject({
                secrets: { password: "rotated" },
            });
        },
    );

    test("in sequence, each continues from the last write", async () => {
        const { cluster } = api;
        await createRecord(cluster, "s", { password: "old" });
        await overtake();
        const record = await readRecord(cluster, "s");
        if (!record) throw new Error("the stack has no record");
        const manifests = [object("ConfigMap", "x")];
        const options = { cluster, stack: "s", manifests, report: () => undefined };
        await applyStack({ ...options, record });
        expect(await readRecord(cluster, "s")).toMatchObject({
            secrets: { password: "rotated" },
            inventory: [{ kind: "ConfigMap", name: "x" }],
        });
    });
});
