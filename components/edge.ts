import {
    COLOURS,
    GATEWAY_NAME,
    HEADERS,
    NAMESPACES,
    PORTS,
    PUBLIC_PATHS,
    ROUTE_NAME,
    SERVICE_NAMES,
    type Colour,
    type Weights,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { EdgeConfig } from "../config.ts";
import { standardLabels } from "./labels.ts";

export interface EdgeArgs {
    readonly edge: EdgeConfig;
    readonly weights: Weights;
    /** Secret in the edge's namespace with the certificate. Default: none, and HTTP only. */
    readonly certificateSecret?: string;
}

const GATEWAY_API = "gateway.networking.k8s.io";
const PARENT = { group: GATEWAY_API, kind: "Gateway", name: GATEWAY_NAME };

/**
 * The way in: a Gateway and one route whose weights divide the traffic between the colours' Services,
 * each in its own namespace and so behind a grant of its own. A header asks for one colour whatever the
 * weights are. With a certificate the route hangs on HTTPS and HTTP only redirects.
 */
export class Edge extends pulumi.ComponentResource {
    constructor(name: string, args: EdgeArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Edge", name, args, opts);
        const { edge, weights, certificateSecret } = args;
        const labels = standardLabels({ name: ROUTE_NAME, component: "edge" });
        const child = { parent: this };
        // Fixed names: the release driver, the tests and people address the route and the Gateway.
        const metadata = (objectName: string) => ({
            name: objectName,
            namespace: NAMESPACES.edge,
            labels,
        });

        const gateway = new k8s.apiextensions.CustomResource(
            `${name}-gateway`,
            {
                apiVersion: `${GATEWAY_API}/v1`,
                kind: "Gateway",
                metadata: metadata(GATEWAY_NAME),
                spec: {
                    gatewayClassName: edge.gatewayClassName,
                    listeners: listeners(edge, certificateSecret),
                },
            },
            child,
        );
        // A share whose grant is missing is answered with 500: grants come before the route and leave after it.
        const grants = COLOURS.map((colour) => this.#grant(name, colour, labels));
        const hostnames = edge.hostname === undefined ? {} : { hostnames: [edge.hostname] };
        new k8s.apiextensions.CustomResource(
            `${name}-route`,
            {
                apiVersion: `${GATEWAY_API}/v1`,
                kind: "HTTPRoute",
                metadata: metadata(ROUTE_NAME),
                spec: {
                    parentRefs: [{ ...PARENT, sectionName: certificateSecret ? "https" : "http" }],
                    ...hostnames,
                    rules: [...COLOURS.map(previewRule), weightedRule(weights)],
                },
            },
            { ...child, dependsOn: [gateway, ...grants] },
        );
        if (certificateSecret !== undefined) {
            new k8s.apiextensions.CustomResource(
                `${name}-redirect`,
                {
                    apiVersion: `${GATEWAY_API}/v1`,
                    kind: "HTTPRoute",
                    metadata: metadata(`${ROUTE_NAME}-redirect`),
                    spec: {
                        parentRefs: [{ ...PARENT, sectionName: "http" }],
                        ...hostnames,
                        rules: [{ filters: [REDIRECT] }],
                    },
                },
                { ...child, dependsOn: [gateway] },
            );
        }
        this.registerOutputs();
    }

    #grant(
        name: string,
        colour: Colour,
        labels: Record<string, string>,
    ): k8s.apiextensions.CustomResource {
        return new k8s.apiextensions.CustomResource(
            `${name}-grant-${colour}`,
            {
                // v1beta1 is what every implementation of Gateway API since 1.0 serves.
                apiVersion: `${GATEWAY_API}/v1beta1`,
                kind: "ReferenceGrant",
                metadata: { name: "from-edge", namespace: NAMESPACES[colour], labels },
                spec: {
                    from: [{ group: GATEWAY_API, kind: "HTTPRoute", namespace: NAMESPACES.edge }],
                    to: [{ group: "", kind: "Service", name: SERVICE_NAMES[colour] }],
                },
            },
            { parent: this },
        );
    }
}

const REDIRECT = {
    type: "RequestRedirect",
    requestRedirect: { scheme: "https", statusCode: 301 },
};

function listeners(edge: EdgeConfig, certificateSecret: string | undefined) {
    const common = {
        allowedRoutes: { namespaces: { from: "Same" } },
        ...(edge.hostname !== undefined && { hostname: edge.hostname }),
    };
    const http = { name: "http", protocol: "HTTP", port: edge.httpPort, ...common };
    if (certificateSecret === undefined) return [http];
    const tls = {
        mode: "Terminate",
        certificateRefs: [{ group: "", kind: "Secret", name: certificateSecret }],
    };
    return [http, { name: "https", protocol: "HTTPS", port: edge.httpsPort, tls, ...common }];
}

function previewRule(colour: Colour) {
    const header = { type: "Exact", name: HEADERS.previewColour, value: colour };
    return {
        matches: pathMatches().map((match) => ({ ...match, headers: [header] })),
        backendRefs: [backend(colour, 1)],
    };
}

function weightedRule(weights: Weights) {
    return {
        matches: pathMatches(),
        backendRefs: COLOURS.map((colour) => backend(colour, weights[colour])),
    };
}

function pathMatches() {
    return PUBLIC_PATHS.map((value) => ({ path: { type: "Exact", value } }));
}

/** Every field is written out: what is left to a default shows up as a difference at each deploy. */
function backend(colour: Colour, weight: number) {
    return {
        group: "",
        kind: "Service",
        name: SERVICE_NAMES[colour],
        namespace: NAMESPACES[colour],
        port: PORTS.service,
        weight,
    };
}
