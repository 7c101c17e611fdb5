import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { applyStack } from "../../../deploy/apply/apply.ts";
import { readIfExists, referenceOf, type Manifest } from "../../../cluster/connect.ts";
import { createRecord, readRecord, writeRecord } from "../../../deploy/apply/record.ts";
import { removeStack } from "../../../deploy/apply/remove.ts";
import { startApiServer, type ApiServer } from "../../support/apiServer.ts";

const STACK = "s";

let api: ApiServer;
let reported: string[];

beforeEach(async () => {
    api = await startApiServer();
    reported = [];
    await createRecord(api.cluster, STACK, {});
});

afterEach(() => api.close());

const report = (line: string) => void reported.push(line);

const space = (name: string): Manifest => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { of: name } },
});

function object(name: string, namespace = "n", kind = "ConfigMap"): Manifest {
    return { apiVersion: "v1", kind, metadata: { name, namespace }, ...{ data: { a: name } } };
}

async function deploy(
    manifests: Manifest[],
    adopt = false,
    onBeforeWrite = () => Promise.resolve(),
) {
    const { cluster } = api;
    const record = await readRecord(cluster, STACK);
    if (!record) throw new Error("no record");
    return applyStack({ cluster, stack: STACK, manifests, record, report, adopt, onBeforeWrite });
}

const remove = (deleteData = false) => removeStack(api.cluster, STACK, { deleteData, report });

const isThere = async (manifest: Manifest) =>
    (await readIfExists(api.cluster, referenceOf(manifest))) !== undefined;

/** Rewrites the record in the format of an older version. */
async function forgetMarks(): Promise<void> {
    const record = await readRecord(api.cluster, STACK);
    if (!record) throw new Error("no record");
    const inventory = record.inventory.map(({ apiVersion, kind, namespace, name }) => ({
        apiVersion,
        kind,
        name,
        ...(namespace !== undefined && { namespace }),
    }));
    await writeRecord(api.cluster, STACK, { ...record, inventory });
}

describe("existing objects of others", () => {
    test("are rejected, all at once, before anything is written", async () => {
        await api.apply("helm", space("cert-manager"));
        await api.apply("helm", object("b", "cert-manager"));
        const writes = api.writes;
        await expect(
            deploy([
                space("cert-manager"),
                object("b", "cert-manager"),
                object("new", "cert-manager"),
            ]),
        ).rejects.toThrow(
            /^2 objects of stack s already exist on double.*\n {2}- ConfigMap cert-manager\/b\n {2}- Namespace cert-manager\nNothing was changed.*ADOPT=1/s,
        );
        expect(api.writes).toBe(writes);
        expect(await isThere(object("new", "cert-manager"))).toBe(false);
    });

    test("leave the stack unbound, so that another cluster can accept it", async () => {
        await api.apply("helm", object("a"));
        const bound: number[] = [];
        const bind = () => Promise.resolve(void bound.push(api.writes));
        await expect(deploy([object("a")], false, bind)).rejects.toThrow("Nothing was changed");
        expect(bound).toEqual([]);
        const writes = api.writes;
        await deploy([object("b")], false, bind);
        expect(bound).toEqual([writes]);
    });

    test("are written after ADOPT=1, and never deleted", async () => {
        await api.apply("helm", space("n"));
        await deploy([space("n"), object("mine")], true);
        expect(await remove()).toEqual({
            count: 1,
            remaining: ["Namespace n was not provably created by the stack"],
        });
        expect(await isThere(space("n"))).toBe(true);
        expect(await isThere(object("mine"))).toBe(false);
    });

    test("are not pruned either", async () => {
        await api.apply("helm", object("a"));
        await deploy([object("a"), object("b")], true);
        expect(await deploy([])).toMatchObject({ pruned: ["ConfigMap n/b"] });
        expect(await isThere(object("a"))).toBe(true);
        expect(reported).toContain(
            "ConfigMap n/a is no longer declared and stays: the stack did not provably create it",
        );
    });

    test("with the name of an object that the stack created are rejected too", async () => {
        await deploy([object("a")]);
        await api.cluster.objects.delete(referenceOf(object("a")));
        await api.apply("kubectl", object("a"));
        await expect(deploy([object("a")])).rejects.toThrow("1 objects of stack s already exist");
        await remove();
        expect(await isThere(object("a"))).toBe(true);
    });
});

describe("objects that the stack created", () => {
    test("are updated, and removed with the stack", async () => {
        const all = [space("n"), object("a")];
        await deploy(all);
        expect(await deploy(all)).toMatchObject({ changed: [] });
        expect(await remove()).toEqual({ count: 2, remaining: [] });
        expect(await isThere(space("n"))).toBe(false);
        expect(await readRecord(api.cluster, STACK)).toBeUndefined();
        expect(await remove()).toBeUndefined();
    });

    test("belong to the stack after a deploy that was killed", async () => {
        const killed = { status: 500 };
        api.onWrite = (kind) => {
            if (kind === "ConfigMap")
                api.refusals.push(killed, killed, killed, killed, killed, killed);
            api.onWrite = () => undefined;
        };
        const all = [space("n"), object("a")];
        await deploy(all).catch(() => undefined);
        api.refusals.length = 0;
        await deploy(all);
        expect(await remove()).toEqual({ count: 2, remaining: [] });
    });

    test("are removed by an older record unless others have set a field", async () => {
        await deploy([space("n"), object("a"), object("b")]);
        const shared = { ...object("b"), data: { theirs: "1" } } as Manifest;
        await api.apply("kubectl", shared);
        await forgetMarks();
        expect(await remove()).toEqual({
            count: 2,
            remaining: ["ConfigMap n/b was not provably created by the stack"],
        });
    });
});

describe("a namespace of the stack", () => {
    test("stays with objects of others, and the stack's own are removed", async () => {
        await deploy([space("n"), object("a")]);
        await api.apply("kubectl", object("theirs"));
        expect(await remove()).toEqual({
            count: 1,
            remaining: ["Namespace n has objects of others: ConfigMap n/theirs"],
        });
        expect(await isThere(object("theirs"))).toBe(true);
        expect(await isThere(object("a"))).toBe(false);
    });

    test("is removed with addons of the local platform, so that any later deploy can create it", async () => {
        await deploy([space("n"), object("a")]);
        await api.apply("property-search-local", object("alert-inbox"));
        expect(await remove()).toEqual({ count: 2, remaining: [] });
        expect(await isThere(space("n"))).toBe(false);
    });

    test("with volumes is removed or pruned only on request", async () => {
        await deploy([space("n")]);
        const volume = object("data-redis-0", "n", "PersistentVolumeClaim");
        await api.apply("kube-controller-manager", volume);
        await expect(remove()).rejects.toThrow(/volumes n\/data-redis-0 .*DATA=delete/s);
        await expect(deploy([])).rejects.toThrow("volumes n/data-redis-0");
        expect(await isThere(volume)).toBe(true);
        expect(await remove(true)).toEqual({ count: 1, remaining: [] });
        expect(await isThere(volume)).toBe(false);
    });
});
