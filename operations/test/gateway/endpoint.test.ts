import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { rootCertificates } from "node:tls";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { findGateway } from "../../gateway/endpoint.ts";

const [PEM = ""] = rootCertificates;
const HOST = "embeddings.property-search.example";

/** A cluster with only these objects. */
function clusterWith(objects: Readonly<Record<string, object>>): Cluster {
    const read = ({ kind }: { kind: string }) => {
        const found = objects[kind];
        return found
            ? Promise.resolve(found)
            : Promise.reject(Object.assign(new Error("not found"), { code: 404 }));
    };
    return { objects: { read } } as unknown as Cluster;
}

const gateway = (annotation: string | undefined, address?: string) => ({
    metadata: {
        annotations: annotation ? { "property-search.io/public-url": annotation } : {},
    },
    spec: {
        listeners: [
            { name: "http", protocol: "HTTP", port: 8000, hostname: HOST },
            {
                name: "https",
                protocol: "HTTPS",
                port: 8443,
                hostname: HOST,
                tls: { certificateRefs: [{ name: "embedding-gateway-tls" }] },
            },
        ],
    },
    status: { addresses: address ? [{ value: address }] : [] },
});

let folder: string;
let caFile: string;

beforeAll(async () => {
    folder = makeTemporaryFolder();
    caFile = path.join(folder, "ca.pem");
    await writeFile(caFile, PEM);
});

beforeEach(() => {
    delete process.env.GATEWAY_URL;
    delete process.env.GATEWAY_CA_FILE;
});

describe("the Gateway is found", () => {
    test("by its public name, at the address of its status, on the public port", async () => {
        const Gateway = gateway(`https://${HOST}`, "192.0.2.7");
        expect(await findGateway(clusterWith({ Gateway }))).toEqual({
            url: `https://${HOST}`,
            address: { host: "192.0.2.7", port: 443 },
            ca: undefined,
        });
    });

    test("at a host name or an IPv6 address", async () => {
        for (const address of ["lb-1.elb.example.com", "2001:db8::7"]) {
            const Gateway = gateway(`https://${HOST}:8444`, address);
            expect((await findGateway(clusterWith({ Gateway }))).address).toEqual({
                host: address,
                port: 8444,
            });
        }
    });

    test("by its address if it serves any host", async () => {
        const Gateway = gateway("http://HOST:8080", "10.89.0.2");
        expect(await findGateway(clusterWith({ Gateway }))).toEqual({
            url: "http://10.89.0.2:8080",
            address: { host: "10.89.0.2", port: 8080 },
            ca: undefined,
        });
    });

    test("by its safest listener if an older program wrote it", async () => {
        const Gateway = gateway(undefined, "192.0.2.7");
        expect((await findGateway(clusterWith({ Gateway }))).url).toBe(`https://${HOST}:8443`);
    });

    test("at GATEWAY_URL, still by its public name", async () => {
        process.env.GATEWAY_URL = "https://127.0.0.1:30443";
        const Gateway = gateway(`https://${HOST}`);
        expect(await findGateway(clusterWith({ Gateway }))).toMatchObject({
            url: `https://${HOST}`,
            address: { host: "127.0.0.1", port: 30443 },
        });
    });

    test("with the CA of its issuer, and with that of a file", async () => {
        const Gateway = gateway(`https://${HOST}`, "192.0.2.7");
        const Secret = { data: { "ca.crt": Buffer.from(PEM).toString("base64") } };
        expect((await findGateway(clusterWith({ Gateway, Secret }))).ca).toBe(PEM);
        process.env.GATEWAY_CA_FILE = caFile;
        expect((await findGateway(clusterWith({ Gateway }))).ca).toBe(PEM);
    });

    test.each([
        ["GATEWAY_URL", "embeddings:443", /GATEWAY_URL is "embeddings:443"; allowed: http:/],
        ["GATEWAY_CA_FILE", "/nowhere/ca.pem", /GATEWAY_CA_FILE is "\/nowhere\/ca.pem", which/],
        ["GATEWAY_CA_FILE", import.meta.filename, /allowed: a file of certificates as PEM/],
    ])("rejects %s = %s", async (name, value, message) => {
        process.env[name] = value;
        const Gateway = gateway(`https://${HOST}`, "192.0.2.7");
        await expect(findGateway(clusterWith({ Gateway }))).rejects.toThrow(message);
    });

    test("unless it has no address; the error has the remedy", async () => {
        const Gateway = gateway(`https://${HOST}`);
        await expect(findGateway(clusterWith({ Gateway }))).rejects.toThrow(/GATEWAY_URL=/);
    });
});
