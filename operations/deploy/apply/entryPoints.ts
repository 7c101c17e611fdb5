import type { V1Container, V1PodTemplateSpec } from "@kubernetes/client-node";
import { readIfExists, type Cluster, type Manifest } from "../../cluster/connect.ts";

interface Gateway extends Manifest {
    readonly spec: {
        readonly gatewayClassName: string;
        readonly listeners?: readonly { readonly name: string; readonly port: number }[];
    };
}

interface GatewayClass extends Manifest {
    readonly spec: { readonly controllerName: string };
}

interface Workload extends Manifest {
    readonly spec: { readonly template: V1PodTemplateSpec };
}

const TRAEFIK = "traefik.io/gateway-controller";
const WORKLOADS = ["Deployment", "DaemonSet"];
/** `--entryPoints.web.address=:8000/tcp`; flag names are case-insensitive. */
const ENTRY_POINT = /^--entrypoints\.([^.=]+)\.address=[^=]*:(\d+)(\/tcp)?$/i;
const GATEWAY_PROVIDER = /^--providers\.kubernetesgateway(=true)?$/i;

/**
 * Finds listeners of Gateways without an entry point of Traefik, which accepts a listener only at an entry point's port.
 * Other controllers open the ports of a Gateway themselves.
 */
export async function entryPointProblems(
    cluster: Cluster,
    manifests: readonly Manifest[],
): Promise<string[]> {
    const gateways = manifests.filter((manifest) => manifest.kind === "Gateway") as Gateway[];
    if (gateways.length === 0) return [];
    const served = await Promise.all(gateways.map((gateway) => isTraefikGateway(cluster, gateway)));
    const ports = served.includes(true) ? await entryPoints(cluster) : new Map<number, string>();
    // Traefik may be configured by a file or its environment, which are not readable from outside its pod.
    if (ports.size === 0) return [];
    const known = [...ports].map(([port, name]) => `${port} (${name})`).join(", ");
    return gateways
        .filter((_, index) => served[index] === true)
        .flatMap(({ metadata, spec }) =>
            (spec.listeners ?? [])
                .filter(({ port }) => !ports.has(port))
                .map(
                    ({ name, port }) =>
                        `an entry point for listener ${name} of Gateway ${metadata.name} at port ${port}: ` +
                        `Traefik has ${known}; add an entry point, or set the ports of edge to existing ones`,
                ),
        );
}

async function isTraefikGateway(cluster: Cluster, { apiVersion, spec }: Gateway): Promise<boolean> {
    const name = spec.gatewayClassName;
    const found = await readIfExists<GatewayClass>(cluster, {
        apiVersion,
        kind: "GatewayClass",
        name,
    });
    return found?.spec.controllerName === TRAEFIK;
}

/** Reads Traefik's entry points by port from the arguments of the containers that serve Gateways. */
async function entryPoints(cluster: Cluster): Promise<Map<number, string>> {
    const lists = await Promise.all(
        WORKLOADS.map((kind) => cluster.objects.list<Workload>("apps/v1", kind)),
    );
    const containers = lists
        .flatMap(({ items }) => items)
        .flatMap(({ spec }) => spec.template.spec?.containers ?? []);
    return new Map(containers.filter(servesGateways).flatMap(entryPointsOf));
}

function servesGateways(container: V1Container): boolean {
    return argumentsOf(container).some((argument) => GATEWAY_PROVIDER.test(argument));
}

function entryPointsOf(container: V1Container): [number, string][] {
    return argumentsOf(container).flatMap((argument): [number, string][] => {
        const [, name = "", port] = ENTRY_POINT.exec(argument) ?? [];
        return port === undefined ? [] : [[Number(port), name]];
    });
}

function argumentsOf({ command = [], args = [] }: V1Container): string[] {
    return [...command, ...args];
}
