import { CIDR, DNS_LABEL, HOST_NAME, LABEL_VALUE, OBJECT_NAME } from "../../config/allowed.ts";
import type { Manifest } from "../../render.ts";
import { walk } from "./program.ts";

/* Validation of object names and labels by the API server (k8s.io/apimachinery/pkg/util/validation). */

type Check = (value: unknown, manifest: Manifest) => boolean;

const text =
    (fits: (value: string) => boolean): Check =>
    (value) =>
        typeof value === "string" && fits(value);
const isPort: Check = (value) =>
    typeof value === "string"
        ? /^[a-z0-9-]{1,15}$/.test(value) && /[a-z]/.test(value)
        : Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;

/** By the end of a field's path. */
const CHECKS: readonly (readonly [path: RegExp, isRight: Check])[] = [
    [/^\.metadata\.name$/, text(OBJECT_NAME.fits)],
    [/\.namespace$/, text(DNS_LABEL.fits)],
    [/\.(labels|matchLabels)\.[^[]+$/, text(LABEL_VALUE.fits)],
    [
        /\.(serviceAccountName|secretName|storageClassName|gatewayClassName)$/,
        text(OBJECT_NAME.fits),
    ],
    [/\.(port|containerPort|targetPort|endPort|nodePort)$/, isPortOf],
    [/\.cidr$/, text(CIDR.fits)],
    [/\.(hostname|hostnames\.\d+|dnsNames\.\d+)$/, text(HOST_NAME.fits)],
    [/\.env\.\d+\.value$/, text((value) => !/[\p{Cc}]/u.test(value))],
    [/^\.data\..+$/, text((value) => value.length < 1_048_576)],
];

/** Cilium's policies have their ports as text, Kubernetes' own objects as numbers or names. */
function isPortOf(value: unknown, manifest: Manifest): boolean {
    return isPort(manifest.kind === "CiliumNetworkPolicy" ? Number(value) : value, manifest);
}

/** What is wrong with the objects of a rendering, by path. */
export function shapeFaults(manifests: readonly Manifest[]): string[] {
    return manifests.flatMap((manifest) => {
        const { kind, metadata } = manifest;
        const fields = [...walk(manifest)].filter(([path, value]) =>
            CHECKS.some(([of, isRight]) => of.test(path) && !isRight(value, manifest)),
        );
        const label = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
        const faults = fields.map(([path, value]) => `${label}${path} is ${JSON.stringify(value)}`);
        return [
            ...faults,
            ...sharedPorts(manifest).map((port) => `${label} has two listeners on ${port}`),
        ];
    });
}

function sharedPorts({ kind, spec }: Manifest): number[] {
    if (kind !== "Gateway") return [];
    const { listeners } = spec as { listeners: readonly { port: number }[] };
    const ports = listeners.map(({ port }) => port);
    return ports.filter((port, at) => ports.indexOf(port) < at);
}
