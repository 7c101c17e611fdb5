import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CERTIFICATES_NAMESPACE, otherColour } from "@property-search/contract";
import { deploy } from "../../operations/deploy/deploy.ts";
import { findGateway, readLiveWeights } from "../../operations/gateway/endpoint.ts";
import { readConfig } from "../../operations/deploy/pulumi/stackFile.ts";
import { stackConfigFile } from "../../operations/deploy/pulumi/workspace.ts";
import { verify } from "../../operations/deploy/verify.ts";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";
import {
    readPlatformKey,
    readRecord,
    type StackRecord,
} from "../../operations/deploy/apply/record.ts";
import { removeStack } from "../../operations/deploy/apply/remove.ts";
import { render } from "../../operations/stack/render.ts";
import { NETWORK } from "../../local/src/node/network.ts";
import type { CertificateTools } from "../../local/src/toolchain/certificates.ts";
import {
    ACME_SERVER,
    exchangeGateway,
    foreignCertificateExists,
    HOSTNAME,
    issuingAuthority,
    makeForeignCertificate,
    openTools,
    refusals,
    removeKinds,
    renewed,
    servedCertificate,
    startAcme,
    type Acme,
} from "../support/certificates/fixtures.ts";
import { totalsOf } from "../support/clients/clients.ts";
import { openCluster } from "../support/cluster.ts";
import { drive, keepStackFile } from "../support/driver.ts";
import { make } from "../support/makeUp.ts";
import { at } from "../support/program.ts";
import { activeColour, QUICK_PLAN, startUsual } from "../support/switching.ts";

/*
 * The stack of `make up` with prod's entrance in the place of its own: Traefik as its chart installs it, a host name,
 * tenants that show their keys, and a certificate by HTTP-01 that a cert-manager of the stack's own renews. Takes
 * ten minutes, and ends with the stack of `make up`.
 */

const STACK = "local";
const silent = () => undefined;

const cluster = openCluster();
/** Of the stack of make up. Undefined: nothing was changed yet. */
let own: StackRecord | undefined;
let tools: CertificateTools;
let acme: Acme | undefined;
let authority: string;

/** Config of prod, over that of `make up`. */
async function entrance(): Promise<Record<string, string>> {
    const acmePod = [{ namespace: "acme", podLabels: { app: "pebble" }, port: 14000 }];
    const destinations = await readConfig(stackConfigFile(STACK), "network.destinations");
    return {
        ...own?.config,
        "edge.controller": "traefik",
        "edge.controllerNamespace": "traefik",
        "edge.httpPort": "8000",
        "edge.httpsPort": "8443",
        "edge.hostname": HOSTNAME,
        "tenants.anonymous": "false",
        "monitoring.gatewayAddress": "",
        "network.destinations": JSON.stringify({ ...(destinations as object), acme: acmePod }),
        "certificates.enabled": "true",
        "certificates.issuer": "acme",
        "certificates.acmeServer": ACME_SERVER,
        "certificates.acmeCaBundle": await readFile(acme?.files.ca ?? "", "utf8"),
        "certificates.chart": tools.chart,
        "certificates.imageRegistry": "localhost",
    };
}

beforeAll(async () => {
    tools = await openTools();
    own = await readRecord(cluster, STACK);
    if (!own) throw new Error("the cluster has no stack of make up");
    await exchangeGateway(cluster, true);
    acme = await startAcme(cluster, tools.images);
    const { kubeconfig } = cluster;
    await deploy({ stack: STACK, kubeconfig, config: await entrance(), report: silent });
    authority = await issuingAuthority(cluster);
    process.env.GATEWAY_CA_FILE = path.join(acme.folder, "authority.pem");
    await writeFile(process.env.GATEWAY_CA_FILE, authority);
}, 720_000);

afterAll(async () => {
    delete process.env.GATEWAY_CA_FILE;
    // Without the tools or a stack of make up, nothing was changed.
    if (own === undefined) return;
    await removeStack(cluster, STACK, { deleteData: true, report: silent });
    await removeKinds(cluster);
    await acme?.remove();
    await exchangeGateway(cluster, false);
    expect(await make("up")).toMatchObject({ exitCode: 0 });
}, 600_000);

describe("a stack with certificates", () => {
    test("has one from HTTP-01 through the Gateway, and admission rejected nothing", async () => {
        const { subjectaltname } = await servedCertificate(authority);
        expect(subjectaltname).toContain(HOSTNAME);
        expect(await refusals(cluster)).toBe("");
    });

    test("can have its cert-manager placed as all other workloads", async () => {
        const placement = {
            "workloads.nodeSelector": '{"pool":"search"}',
            "workloads.tolerations": '[{"key":"dedicated","operator":"Exists"}]',
            "workloads.priorityClassName": "system-cluster-critical",
            "workloads.labels": '{"team":"search"}',
            "images.pullSecrets": '["mirror"]',
        };
        const config = { ...(await entrance()), ...own?.secrets, ...placement };
        const manifests = await render(STACK, config, silent);
        const of = (wanted: string) =>
            manifests.filter(
                ({ kind, metadata }) =>
                    kind === wanted && metadata.namespace === CERTIFICATES_NAMESPACE,
            );
        const deployments = of("Deployment");
        expect(deployments).toHaveLength(3);
        // Pods pull by their accounts' secrets.
        const accounts = of("ServiceAccount").filter((one) => at(one, "imagePullSecrets"));
        expect(accounts.map(({ metadata }) => metadata.name).sort()).toEqual(
            deployments
                .map((one) => at(one, "spec", "template", "spec", "serviceAccountName"))
                .sort(),
        );
        for (const account of accounts) {
            expect(at(account, "imagePullSecrets")).toEqual([{ name: "mirror" }]);
        }
        for (const deployment of deployments) {
            const labels = { team: "search" };
            expect(deployment.metadata).toMatchObject({ labels });
            expect(at(deployment, "spec", "selector", "matchLabels", "team")).toBeUndefined();
            expect(at(deployment, "spec", "template")).toMatchObject({
                metadata: { labels },
                spec: {
                    nodeSelector: { pool: "search", "kubernetes.io/os": "linux" },
                    tolerations: [{ key: "dedicated", operator: "Exists" }],
                    priorityClassName: "system-cluster-critical",
                },
            });
        }
    });

    test("is used under its host name, over HTTPS at the load balancer's port", async () => {
        const { address, url } = await findGateway(cluster);
        expect({ address, url }).toEqual({
            address: { host: NETWORK.nodeAddress, port: 443 },
            url: `https://${HOSTNAME}`,
        });
        const apiKey = await readPlatformKey(cluster);
        const { url: verified } = await verify({ cluster, apiKey, report: silent, samples: 200 });
        expect(verified).toBe(url);
    });

    test("sends HTTP to HTTPS, at the public port", async () => {
        const location = await new Promise((resolve, reject) => {
            const options = { host: NETWORK.nodeAddress, port: 80, headers: { host: HOSTNAME } };
            request({ ...options, path: "/health" }, (response) => {
                response.resume();
                resolve([response.statusCode, response.headers.location]);
            })
                .on("error", reject)
                .end();
        });
        expect(location).toEqual([
            301,
            expect.stringMatching(`^https://${HOSTNAME}(:443)?/health$`),
        ]);
    });

    test("has it renewed, and the gateway serves the new one", async () => {
        const before = await servedCertificate(authority);
        const after = await renewed(authority, before);
        expect(Date.parse(after.valid_to)).toBeGreaterThan(Date.parse(before.valid_to));
    }, 360_000);

    test("switches under load over HTTPS without a failed request", async () => {
        const putFileBack = await keepStackFile();
        const clients = await startUsual(cluster, {
            perSecond: { kept: 60, fresh: 12, slow: 2 },
            endpoint: { host: NETWORK.nodeAddress, ca: authority },
        });
        const to = otherColour(activeColour(await readLiveWeights(cluster)));
        const ended = await drive("switch", "--to", to, "--steps", "20,100", ...QUICK_PLAN).ended;
        const totals = totalsOf(await clients.stop());
        await putFileBack();
        expect(ended).toMatchObject({ exitCode: 0 });
        expect(activeColour(await readLiveWeights(cluster))).toBe(to);
        expect(totals.failures).toEqual({});
        expect(totals.sent).toBeGreaterThan(1_000);
    }, 480_000);

    test("is removed, and leaves what it does not own: the gateway, the ACME server, certificates of others", async () => {
        await makeForeignCertificate(cluster);
        await removeStack(cluster, STACK, { deleteData: true, report: silent });
        expect(await foreignCertificateExists(cluster)).toBe(true);
        await expect(issuingAuthority(cluster)).resolves.toContain("BEGIN CERTIFICATE");
    }, 240_000);
});
