import { NAMESPACES } from "@property-search/contract";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { promisify } from "node:util";
import { importImages } from "../../../local/src/images/import.ts";
import type { Image } from "../../../local/src/images/images.ts";
import { NETWORK } from "../../../local/src/node/network.ts";
import { logFile } from "../../../local/src/shell.ts";
import {
    certificateTools,
    requireCertificateTools,
    type CertificateTools,
} from "../../../local/src/toolchain/certificates.ts";
import { kubernetesFolder } from "../../../local/src/toolchain/programs.ts";
import { issueCertificate, type CertificateFiles } from "../authority.ts";
import { eventually, type TestCluster } from "../cluster.ts";

/** A name of the cluster's own domain, which its DNS serves to cert-manager and to the ACME server. */
export const HOSTNAME = "embeddings.acme.svc.cluster.local";
export const ACME_SERVER = "https://pebble.acme.svc.cluster.local:14000/dir";

const step = () => ({
    log: logFile("test-certificates"),
    signal: new AbortController().signal,
    report: () => undefined,
});

/** @throws LocalError when the tools have not been built */
export async function openTools(): Promise<CertificateTools> {
    await requireCertificateTools();
    const tools = await certificateTools(step());
    await importImages(step(), tools.images);
    process.env.PATH = `${tools.helm}:${process.env.PATH ?? ""}`;
    return tools;
}

async function kubectl(cluster: TestCluster, args: readonly string[], input = ""): Promise<string> {
    const program = path.join(await kubernetesFolder(), "kubectl");
    const child = promisify(execFile)(program, ["--kubeconfig", cluster.kubeconfig, ...args]);
    child.child.stdin?.end(input);
    return (await child).stdout;
}

function referenceOf(images: readonly Image[], name: string): string {
    const [reference] = images.find((image) => image.name === name)?.references ?? [];
    if (reference === undefined) throw new Error(`there is no image ${name}`);
    return reference;
}

async function apply(cluster: TestCluster, file: string, image: string): Promise<void> {
    const text = await readFile(path.join(import.meta.dirname, file), "utf8");
    await kubectl(cluster, ["apply", "-f", "-"], text.replaceAll("${IMAGE}", image));
}

/** Image that the cluster's own Traefik runs. */
async function traefikImage(cluster: TestCluster): Promise<string> {
    const get = [
        "get",
        "deployment/traefik",
        "-o",
        "jsonpath={.spec.template.spec.containers[0].image}",
    ];
    return kubectl(cluster, ["-n", "traefik-system", ...get]);
}

/** Exchanges the cluster's gateway, on the node's network, for one as its chart installs it, or back. */
export async function exchangeGateway(cluster: TestCluster, chart: boolean): Promise<void> {
    const scale = (namespace: string, replicas: number) =>
        kubectl(cluster, [
            "-n",
            namespace,
            "scale",
            "deployment/traefik",
            `--replicas=${replicas}`,
        ]);
    if (!chart) {
        await kubectl(cluster, ["delete", "namespace", "traefik", "--ignore-not-found"]);
        await kubectl(cluster, [
            "delete",
            "clusterrolebinding",
            "traefik-chart",
            "--ignore-not-found",
        ]);
        await scale("traefik-system", 1);
        await isRolledOut(cluster, "traefik-system", "traefik");
        return;
    }
    await scale("traefik-system", 0);
    await apply(cluster, "traefik.yaml", await traefikImage(cluster));
    // What a cloud does: the load balancer's address, which kube-proxy serves on the Service's ports.
    const status = { status: { loadBalancer: { ingress: [{ ip: NETWORK.nodeAddress }] } } };
    const patch = ["--subresource=status", "--type=merge", "-p", JSON.stringify(status)];
    await kubectl(cluster, ["-n", "traefik", "patch", "service/traefik", ...patch]);
    await isRolledOut(cluster, "traefik", "traefik");
}

export interface Acme {
    /** File of the authority of the server's own certificate. */
    readonly files: CertificateFiles;
    readonly folder: string;
    readonly remove: () => Promise<void>;
}

/** Starts the ACME server. */
export async function startAcme(cluster: TestCluster, images: readonly Image[]): Promise<Acme> {
    const folder = await mkdtemp(path.join(tmpdir(), "acme-"));
    const files = await issueCertificate(folder, new URL(ACME_SERVER).hostname);
    await apply(cluster, "pebble.yaml", referenceOf(images, "pebble"));
    const secret = [
        "create",
        "secret",
        "tls",
        "pebble",
        `--cert=${files.cert}`,
        `--key=${files.key}`,
    ];
    await kubectl(cluster, ["-n", "acme", ...secret]);
    await isRolledOut(cluster, "acme", "pebble");
    return {
        files,
        folder,
        remove: async () => {
            await kubectl(cluster, ["delete", "namespace", "acme", "--ignore-not-found"]);
            await rm(folder, { recursive: true, force: true });
        },
    };
}

/** PEM of the authority that Pebble signs with, made at each start. */
export async function issuingAuthority(cluster: TestCluster): Promise<string> {
    const pods = ["-n", "acme", "get", "pods", "-l", "app=pebble", "-o", "name"];
    const pod = (await kubectl(cluster, pods)).trim().replace("pod/", "");
    return kubectl(cluster, [
        "get",
        "--raw",
        `/api/v1/namespaces/acme/pods/https:${pod}:15000/proxy/roots/0`,
    ]);
}

async function isRolledOut(cluster: TestCluster, namespace: string, name: string): Promise<void> {
    const target = ["-n", namespace, `deployment/${name}`, "--timeout=120s"];
    await kubectl(cluster, ["rollout", "status", ...target]);
}

/** The certificate that the gateway serves under the host name. @throws when `ca` has not signed it */
export function servedCertificate(ca: string): Promise<PeerCertificate> {
    return new Promise((resolve, reject) => {
        const socket = connectTls(
            { host: NETWORK.nodeAddress, port: 443, servername: HOSTNAME, ca },
            () => {
                resolve(socket.getPeerCertificate());
                socket.end();
            },
        );
        socket.on("error", reject);
        socket.setTimeout(5_000, () => socket.destroy(new Error("timed out")));
    });
}

/** Waits for another certificate than this one. */
export async function renewed(ca: string, before: PeerCertificate): Promise<PeerCertificate> {
    let served = before;
    await eventually(
        "the gateway serves a renewed certificate",
        async () => {
            served = await servedCertificate(ca);
            return served.serialNumber !== before.serialNumber;
        },
        240,
    );
    return served;
}

/** A Certificate of another owner, in another namespace. */
export async function makeForeignCertificate(cluster: TestCluster): Promise<void> {
    const issuer = { apiVersion: "cert-manager.io/v1", kind: "Issuer" };
    const metadata = { name: "theirs", namespace: "default" };
    const spec = { secretName: "theirs", dnsNames: ["a.example"], issuerRef: { name: "theirs" } };
    const objects = [
        { ...issuer, metadata, spec: { selfSigned: {} } },
        { ...issuer, kind: "Certificate", metadata, spec },
    ];
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(list));
}

export async function foreignCertificateExists(cluster: TestCluster): Promise<boolean> {
    const get = [
        "get",
        "certificates.cert-manager.io",
        "theirs",
        "--ignore-not-found",
        "-o",
        "name",
    ];
    return (await kubectl(cluster, ["-n", "default", ...get])) !== "";
}

/** Removes kinds of cert-manager, and with them all objects of these. */
export async function removeKinds(cluster: TestCluster): Promise<void> {
    const names = ["certificates", "certificaterequests", "issuers", "clusterissuers"];
    const kinds = [
        ...names.map((name) => `${name}.cert-manager.io`),
        ...["orders", "challenges"].map((name) => `${name}.acme.cert-manager.io`),
    ];
    await kubectl(cluster, ["delete", "crd", "--ignore-not-found", ...kinds]);
}

/** Names of rejected solver pods, from events of the edge namespace. */
export async function refusals(cluster: TestCluster): Promise<string> {
    const events = ["get", "events", "--field-selector=type=Warning", "-o", "json"];
    const { items } = JSON.parse(await kubectl(cluster, ["-n", NAMESPACES.edge, ...events])) as {
        items: { message: string }[];
    };
    return items
        .map(({ message }) => message)
        .filter((message) => /forbidden|denied|exceeded quota/.test(message))
        .join("\n");
}
