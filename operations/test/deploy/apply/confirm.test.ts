import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { COLOURS, NAMESPACES, ROUTE_NAME, SERVICE_NAMES } from "@property-search/contract";
import { confirmDeployed } from "../../../deploy/apply/confirm.ts";
import type { Manifest } from "../../../cluster/connect.ts";
import type { RecordedSwitch } from "../../../shared/releaseRecord.ts";
import { startApiServer, type ApiServer } from "../../support/apiServer.ts";

let api: ApiServer;

beforeEach(async () => {
    api = await startApiServer();
});

afterEach(() => api.close());

function object(kind: string, name: string, fields: object, apiVersion = "v1"): Manifest {
    return { apiVersion, kind, metadata: { name, namespace: "n" }, ...fields };
}

const confirm = (manifests: Manifest[], note?: RecordedSwitch) =>
    confirmDeployed({ cluster: api.cluster, manifests, lastSwitch: note });

const route = (blue: number): Manifest => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: ROUTE_NAME, namespace: NAMESPACES.edge },
    ...{
        spec: {
            rules: [
                {
                    backendRefs: COLOURS.map((colour) => ({
                        name: SERVICE_NAMES[colour],
                        weight: colour === "blue" ? blue : 100 - blue,
                    })),
                },
            ],
        },
    },
});

test("unchanged objects are counted", async () => {
    const one = object("ConfigMap", "one", { data: { a: "1" } });
    await api.apply("m", one);
    expect(await confirm([one])).toBe(1);
});

test("all differing fields are reported at once, by object", async () => {
    const one = object("ConfigMap", "one", { data: { a: "1", b: "2" } });
    const two = object("ConfigMap", "two", { data: { a: "1" } });
    await api.apply("m", object("ConfigMap", "one", { data: { a: "3" } }));
    await expect(confirm([one, two])).rejects.toThrow(
        /^3 fields .*\n {2}- ConfigMap n\/one: data\.a is "3"; declared: "1"\n {2}- ConfigMap n\/one: data\.b is missing\n {2}- ConfigMap n\/two is not on the cluster\n/,
    );
});

describe("a Secret", () => {
    test("is compared by its stored values, which are not reported", async () => {
        const stored = { data: { token: Buffer.from("hidden").toString("base64") } };
        await api.apply("m", object("Secret", "s", stored));
        const declared = (token: unknown) => object("Secret", "s", { stringData: { token } });
        expect(await confirm([declared("hidden")])).toBe(1);
        const error: unknown = await confirm([declared("other")]).catch(
            (reason: unknown) => reason,
        );
        expect(String(error)).toContain("Secret n/s: data.token has another value");
        expect(String(error)).not.toMatch(/hidden|other"|b3RoZXI|aGlkZGVu/);
    });

    test("that is encrypted in Pulumi's state only needs its keys", async () => {
        const encrypted = { "4dabf18193072939515e22adb298388d": "secret", ciphertext: "x" };
        await api.apply("m", object("Secret", "s", { data: { token: "aGlkZGVu" } }));
        expect(await confirm([object("Secret", "s", { stringData: { token: encrypted } })])).toBe(
            1,
        );
        expect(await confirm([object("Secret", "s", { stringData: encrypted })])).toBe(1);
        const more = object("Secret", "s", { stringData: { token: encrypted, key: encrypted } });
        await expect(confirm([more])).rejects.toThrow("Secret n/s: data.key is missing");
    });
});

describe("weights", () => {
    const note = (phase: RecordedSwitch["phase"]): RecordedSwitch => ({
        id: "r1",
        from: "blue",
        to: "green",
        phase,
        actor: "a",
        phaseSince: 0,
    });

    test("belong to the release driver during a switch, and no other field of the route does", async () => {
        await api.apply("driver", route(50));
        expect(await confirm([route(90)], note("observe"))).toBe(1);
        await expect(confirm([route(90)], note("promoted"))).rejects.toThrow(
            /backendRefs\[0\]\.weight is 50; declared: 90/,
        );
        await expect(confirm([route(90)])).rejects.toThrow("weight");
        const other = { ...route(50), spec: { ...route(50), hostnames: ["a"] } };
        await expect(confirm([other as Manifest], note("observe"))).rejects.toThrow("hostnames");
    });
});
