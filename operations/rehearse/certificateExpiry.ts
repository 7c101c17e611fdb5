import type { KubernetesObject, V1Secret } from "@kubernetes/client-node";
import { NAMESPACES, UserError } from "@property-search/contract";
import { execa } from "execa";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { deleteIfExists, readIfExists, type Cluster } from "../cluster/connect.ts";
import { timeToDetect, withGoal } from "./evidence.ts";
import type { Rehearsal } from "./rehearsal.ts";

const NAME = "rehearsal-certificate";
const NAMESPACE = NAMESPACES.edge;
const SECRET = { apiVersion: "v1", kind: "Secret", namespace: NAMESPACE, name: NAME };
/** Traefik serves and measures the certificates of its default store, besides those of listeners. */
const STORE = {
    apiVersion: "traefik.io/v1alpha1",
    kind: "TLSStore",
    namespace: NAMESPACE,
    name: "default",
};
const SHORT_DAYS = 3;
/** Traefik reports a certificate until it restarts, and its alert would fire close to this expiry. */
const LONG_DAYS = 3650;
/** Traefik loads a changed Secret within it. */
const LOAD_MILLISECONDS = 5_000;

/** A certificate that the gateway has is close to its expiry, and is replaced. */
export const certificateExpiry: Rehearsal = {
    name: "certificate-expiry",
    purpose:
        "A certificate of the gateway expires in three days: both alerts fire, and end when a renewed one is stored.",
    precondition:
        "the gateway is Traefik without a TLSStore, whose metrics Prometheus scrapes; openssl is installed",
    duration: { whole: 450, quick: 110 },
    alerts: ["CertificateExpiresSoon", "CertificateExpiryCritical"],
    inapplicable: async ({ cluster }) => {
        if (!(await cluster.objects.isServed(STORE.apiVersion, STORE.kind)))
            return "the gateway is not Traefik";
        return (await readIfExists(cluster, STORE)) ? "the gateway has a TLSStore" : undefined;
    },
    run: async (context) => {
        const { cluster, folder } = context;
        // A name of its own: Traefik still reports the certificates of earlier runs.
        const host = `rehearsal-${Date.now()}.property-search.internal`;
        const short = await createCertificate(folder, host, SHORT_DAYS);
        const long = await createCertificate(folder, host, LONG_DAYS);
        const fault = await context.beginFault({ host } satisfies Saved);
        await context.step(`give the gateway a certificate of ${SHORT_DAYS} days`, async () => {
            await storeCertificate(cluster, short);
            const { apiVersion, kind, ...metadata } = STORE;
            const spec = { certificates: [{ secretName: NAME }] };
            await cluster.objects.create({ apiVersion, kind, metadata, spec } as KubernetesObject);
        });
        for (const alert of ["CertificateExpiresSoon", "CertificateExpiryCritical"])
            await context.expectAlert(alert);
        const detected = (Date.now() - fault) / 1000;

        const repair = Date.now();
        await context.step(`store a renewed certificate of ${LONG_DAYS} days in its Secret`, () =>
            storeCertificate(cluster, long),
        );
        await context.expectResolved(120);

        context.figure(timeToDetect(context.quick, detected, { pending: 90, firing: 390 }));
        context.figure(withGoal("time to recover", "s", (Date.now() - repair) / 1000, "<=", 120));
    },
    putBack: async ({ cluster, folder }, { host }: Saved) => {
        if (await readIfExists(cluster, STORE)) {
            await storeCertificate(cluster, await createCertificate(folder, host, LONG_DAYS));
            await delay(LOAD_MILLISECONDS);
        }
        await deleteIfExists(cluster, STORE);
        await deleteIfExists(cluster, SECRET);
    },
};

interface Saved {
    readonly host: string;
}

interface Certificate {
    readonly certificate: string;
    readonly key: string;
}

/** Creates a self-signed certificate. */
async function createCertificate(folder: string, host: string, days: number): Promise<Certificate> {
    const files = { key: path.join(folder, "key.pem"), certificate: path.join(folder, "cert.pem") };
    const { failed, stderr } = await execa(
        "openssl",
        [
            ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            ...["-keyout", files.key, "-out", files.certificate, "-days", String(days)],
            ...["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`],
        ],
        { reject: false },
    );
    if (failed) throw new UserError(`openssl cannot create a certificate: ${stderr}`);
    return {
        certificate: await readFile(files.certificate, "base64"),
        key: await readFile(files.key, "base64"),
    };
}

async function storeCertificate(
    cluster: Cluster,
    { certificate, key }: Certificate,
): Promise<void> {
    const { apiVersion, kind, ...metadata } = SECRET;
    const data = { "tls.crt": certificate, "tls.key": key };
    const secret: V1Secret = { apiVersion, kind, metadata, type: "kubernetes.io/tls", data };
    await cluster.objects.apply(secret, { fieldManager: "property-search-rehearsal" });
}
