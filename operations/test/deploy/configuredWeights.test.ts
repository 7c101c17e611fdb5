import { expect, test } from "@jest/globals";
import { RELEASE } from "@property-search/contract";
import type { Cluster } from "../../cluster/connect.ts";
import { readConfiguredWeights } from "../../deploy/configuredWeights.ts";
import { verify } from "../../deploy/verify.ts";

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

/** A cluster with these objects, by kind. */
function clusterWith(objects: Readonly<Record<string, object>>): Cluster {
    const read = ({ kind }: { kind: string }) => {
        const found = objects[kind];
        if (found) return Promise.resolve(found);
        return Promise.reject(Object.assign(new Error("absent"), { code: 404 }));
    };
    return { context: "some", server: "", objects: { read } } as unknown as Cluster;
}

const record = (config: object) => ({
    Secret: { data: { secrets: encoded({}), inventory: encoded([]), config: encoded(config) } },
});
const underWay = {
    ConfigMap: {
        data: {
            [RELEASE.key]: JSON.stringify({
                id: "1",
                from: "blue",
                to: "green",
                phase: "observe",
                actor: "ann",
                phaseSince: 1,
            }),
        },
    },
};

test("configured weights are the stack file's, unless the last deploy overrides them", async () => {
    expect(await readConfiguredWeights(clusterWith({}), "prod")).toEqual({ blue: 100, green: 0 });
    const given = record({ "traffic.weights": '{"blue":30,"green":70}' });
    expect(await readConfiguredWeights(clusterWith(given), "prod")).toEqual({
        blue: 30,
        green: 70,
    });
    const wrong = record({ "traffic.weights": '{"blue":30,"green":71}' });
    await expect(readConfiguredWeights(clusterWith(wrong), "prod")).rejects.toThrow(
        /traffic\.weights of stack prod /,
    );
});

test("during a switch there are no configured weights", async () => {
    expect(await readConfiguredWeights(clusterWith(underWay), "prod")).toBeUndefined();
});

test("a route with other weights than the config's fails the verification before any request", async () => {
    const backendRefs = [
        { name: "embedding-service-blue", weight: 80 },
        { name: "embedding-service-green", weight: 20 },
    ];
    const cluster = clusterWith({
        HTTPRoute: { metadata: {}, spec: { rules: [{ backendRefs }] } },
        Gateway: {
            spec: { listeners: [{ port: 1, protocol: "HTTP" }] },
            status: { addresses: [{ value: "127.0.0.1" }] },
        },
    });
    const configured = { blue: 100, green: 0 };
    const report = () => undefined;
    await expect(
        verify({ cluster, apiKey: undefined, expected: configured, report }),
    ).rejects.toThrow(
        "the route has 80/20 (blue/green), and traffic.weights is 100/0: make deploy restores",
    );
});
