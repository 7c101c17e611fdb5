import {
    checkWeights,
    COLOURS,
    GATEWAY_NAME,
    HEADERS,
    PORTS,
    perColour,
    PUBLIC_PATHS,
    PUBLIC_URL_ANNOTATION,
    ROUTE_NAME,
    type Colour,
    type PerColour,
    type Weights,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { healthChecks } from "./edge/healthChecks.ts";
import { gatewayRetries, type RetrySettings } from "./edge/retries.ts";
import { standardLabels } from "./labels.ts";

const GROUP = "gateway.networking.k8s.io";

/** Secret with the Gateway's certificate, in its namespace. */
export const TLS_SECRET_NAME = `${GATEWAY_NAME}-tls`;

export interface EdgeGatewayArgs {
    readonly namespace: pulumi.Input<string>;
    readonly gatewayClassName: string;
    /** Ports of the listeners. */
    readonly httpPort: number;
    readonly httpsPort: number;
    /** Ports that clients connect to. Default: those of the listeners. */
    readonly publicHttpPort?: number | undefined;
    readonly publicHttpsPort?: number | undefined;
    /** With it, HTTPS is served and HTTP only redirects. Default: HTTP only. */
    readonly https?: HttpsArgs | undefined;
    /** Default: any host name. Required with https. */
    readonly hostname?: string | undefined;
    readonly weights: Weights;
    /** The Service of each colour. */
    readonly backends: PerColour<Backend>;
    /** Default: a request whose connection to a pod broke is not sent again. */
    readonly retries?: RetrySettings | undefined;
}

export interface HttpsArgs {
    /** The certificate of somebody else. Default: TLS_SECRET_NAME, in the Gateway's namespace. */
    readonly secret?:
        { readonly name: string; readonly namespace?: string | undefined } | undefined;
}

export interface Backend {
    readonly namespace: pulumi.Input<string>;
    readonly serviceName: pulumi.Input<string>;
}

/** The one way in: a Gateway, and a route that divides traffic between the colours. */
export class EdgeGateway extends pulumi.ComponentResource {
    public readonly gateway: k8s.apiextensions.CustomResource;
    /** Base URL; with HOST for the Gateway's address where no host name is set. */
    public readonly url: string;

    constructor(name: string, args: EdgeGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:EdgeGateway", name, args, opts);
        validate(args);
        const child = { parent: this };
        const labels = standardLabels({ name: GATEWAY_NAME, component: "edge" });
        const metadata = (called: string) => ({ name: called, namespace: args.namespace, labels });
        const secure = args.https !== undefined;
        this.url = urlOf(args);

        this.gateway = new k8s.apiextensions.CustomResource(
            `${name}-gateway`,
            {
                apiVersion: `${GROUP}/v1`,
                kind: "Gateway",
                metadata: {
                    ...metadata(GATEWAY_NAME),
                    annotations: {
                        "pulumi.com/waitFor": "condition=Accepted",
                        [PUBLIC_URL_ANNOTATION]: this.url,
                    },
                },
                spec: { gatewayClassName: args.gatewayClassName, listeners: listeners(args) },
            },
            child,
        );
        const grants = COLOURS.map((colour) =>
            grant(`${name}-grant-${colour}`, args, colour, child),
        );
        grantSecret(name, args, child);
        const checks = healthChecks(name, args, child);
        const retries = gatewayRetries(args.retries);
        const retriers = retries.objects.map(
            ({ role, ...object }) =>
                new k8s.apiextensions.CustomResource(
                    `${name}-${role}`,
                    { ...object, metadata: metadata(ROUTE_NAME) },
                    child,
                ),
        );
        new k8s.apiextensions.CustomResource(
            `${name}-route`,
            {
                apiVersion: `${GROUP}/v1`,
                kind: "HTTPRoute",
                metadata: metadata(ROUTE_NAME),
                spec: {
                    parentRefs: [parentRef(args.namespace, secure ? "https" : "http")],
                    ...(args.hostname !== undefined && { hostnames: [args.hostname] }),
                    rules: [
                        ...COLOURS.map((colour) => previewRule(args, colour)),
                        mainRule(args),
                    ].map((rule) => ({ ...rule, ...retries.rule })),
                },
            },
            // A share of the traffic whose grant is missing is answered with status 500, and all of it with
            // 404 while a filter names what is not there.
            { parent: this, dependsOn: [this.gateway, ...grants, ...checks, ...retriers] },
        );
        if (secure) {
            new k8s.apiextensions.CustomResource(
                `${name}-redirect`,
                {
                    apiVersion: `${GROUP}/v1`,
                    kind: "HTTPRoute",
                    metadata: metadata(`${ROUTE_NAME}-redirect`),
                    spec: redirectSpec(args),
                },
                { parent: this, dependsOn: [this.gateway] },
            );
        }
        this.registerOutputs({ gateway: this.gateway, url: this.url });
    }
}

function validate({ weights, https, hostname }: EdgeGatewayArgs): void {
    const check = checkWeights(weights);
    if ("errors" in check) throw new Error(`weights ${check.errors.join("; ")}`);
    if (https !== undefined && hostname === undefined) {
        throw new Error("hostname is not set; allowed: a host name, since https is set");
    }
}

/** Every optional field is written out: where the API server fills one in, each preview shows a change. */
function listeners({ httpPort, httpsPort, https, hostname }: EdgeGatewayArgs) {
    const common = {
        ...(hostname !== undefined && { hostname }),
        allowedRoutes: { namespaces: { from: "Same" } },
    };
    const http = { name: "http", protocol: "HTTP", port: httpPort, ...common };
    if (https === undefined) return [http];
    const { name = TLS_SECRET_NAME, namespace } = https.secret ?? {};
    const secret = {
        group: "",
        kind: "Secret",
        name,
        ...(namespace !== undefined && { namespace }),
    };
    const tls = { mode: "Terminate", certificateRefs: [secret] };
    return [http, { name: "https", protocol: "HTTPS", port: httpsPort, ...common, tls }];
}

function parentRef(namespace: pulumi.Input<string>, sectionName: string) {
    return { group: GROUP, kind: "Gateway", name: GATEWAY_NAME, namespace, sectionName };
}

/** The owner of a colour's namespace lets routes of the edge point at its Service, and at nothing else. */
function grant(
    name: string,
    { namespace, backends }: EdgeGatewayArgs,
    colour: Colour,
    child: pulumi.CustomResourceOptions,
): pulumi.Resource {
    return new k8s.apiextensions.CustomResource(
        name,
        {
            // The version that every Gateway API release from 1.0 on serves.
            apiVersion: `${GROUP}/v1beta1`,
            kind: "ReferenceGrant",
            metadata: {
                name: "from-edge",
                namespace: backends[colour].namespace,
                labels: standardLabels({ name: GATEWAY_NAME, component: "edge", colour }),
            },
            spec: {
                from: [{ group: GROUP, kind: "HTTPRoute", namespace }],
                to: [{ group: "", kind: "Service", name: backends[colour].serviceName }],
            },
        },
        child,
    );
}

/** The Gateway may read a certificate in another namespace, and no other Secret there. */
function grantSecret(
    name: string,
    { namespace, https }: EdgeGatewayArgs,
    child: pulumi.CustomResourceOptions,
): void {
    if (https?.secret?.namespace === undefined) return;
    new k8s.apiextensions.CustomResource(
        `${name}-grant-certificate`,
        {
            apiVersion: `${GROUP}/v1beta1`,
            kind: "ReferenceGrant",
            metadata: {
                name: GATEWAY_NAME,
                namespace: https.secret.namespace,
                labels: standardLabels({ name: GATEWAY_NAME, component: "edge" }),
            },
            spec: {
                from: [{ group: GROUP, kind: "Gateway", namespace }],
                to: [{ group: "", kind: "Secret", name: https.secret.name }],
            },
        },
        child,
    );
}

/** A request that asks for a colour by header gets it, at any weight: the colour's tests use it. */
function previewRule({ backends }: EdgeGatewayArgs, colour: Colour) {
    const header = { type: "Exact", name: HEADERS.previewColour, value: colour };
    return {
        matches: publicPaths().map((match) => ({ ...match, headers: [header] })),
        backendRefs: [backendRef(backends[colour], 1)],
    };
}

/** Both colours always, a weight of 0 included: a lone backend gets everything whatever its weight is. */
function mainRule({ backends, weights }: EdgeGatewayArgs) {
    const refs = perColour((colour) => backendRef(backends[colour], weights[colour]));
    return { matches: publicPaths(), backendRefs: COLOURS.map((colour) => refs[colour]) };
}

function publicPaths() {
    const { exact, prefix } = PUBLIC_PATHS;
    return [
        ...exact.map((value) => ({ path: { type: "Exact", value } })),
        ...prefix.map((value) => ({ path: { type: "PathPrefix", value } })),
    ];
}

function backendRef({ namespace, serviceName }: Backend, weight: number) {
    return {
        group: "",
        kind: "Service",
        name: serviceName,
        namespace,
        port: PORTS.service,
        weight,
    };
}

/** A challenge of a certificate names its path exactly and so goes before this route. */
function redirectSpec({ namespace, hostname, httpsPort, publicHttpsPort }: EdgeGatewayArgs) {
    const port = publicHttpsPort ?? httpsPort;
    const requestRedirect = { scheme: "https", port, statusCode: 301 };
    return {
        parentRefs: [parentRef(namespace, "http")],
        hostnames: [hostname],
        rules: [
            {
                matches: [{ path: { type: "PathPrefix", value: "/" } }],
                filters: [{ type: "RequestRedirect", requestRedirect }],
            },
        ],
    };
}

function urlOf(args: EdgeGatewayArgs): string {
    const { hostname = "HOST", https, httpPort, httpsPort } = args;
    const { publicHttpPort = httpPort, publicHttpsPort = httpsPort } = args;
    return https === undefined
        ? `http://${hostname}${publicHttpPort === 80 ? "" : `:${publicHttpPort}`}`
        : `https://${hostname}${publicHttpsPort === 443 ? "" : `:${publicHttpsPort}`}`;
}
