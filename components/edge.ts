import {
    checkWeights,
    COLOURS,
    EXAMPLE_NAME,
    EXAMPLE_PATHS,
    GATEWAY_NAME,
    HEADERS,
    IMPACT_PREFIX,
    IMPACT_ROUTE_NAME,
    NAMESPACES,
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
import { GATEWAY_CONTROLLERS } from "./edge/controllers.ts";
import { healthChecks } from "./edge/healthChecks.ts";
import { gatewayRetries, type RetrySettings } from "./edge/retries.ts";
import { standardLabels } from "./labels.ts";

const GROUP = "gateway.networking.k8s.io";

/** Secret with the Gateway's certificate, in its namespace. */
export const TLS_SECRET_NAME = `${GATEWAY_NAME}-tls`;

/** Arguments of `EdgeGateway`. */
export interface EdgeGatewayArgs {
    /** Service of each colour. */
    readonly backends: PerColour<Backend>;
    /**
     * Namespace of the Gateway and its routes. Grants and network policies name the default one.
     * @default "property-search-edge"
     */
    readonly namespace?: pulumi.Input<string>;
    /**
     * GatewayClass of an installed gateway controller.
     * @default "traefik"
     */
    readonly gatewayClassName?: string;
    /**
     * Port of the listener for HTTP.
     * @default 8000, which Traefik's chart serves as port 80
     */
    readonly httpPort?: number;
    /**
     * Port of the listener for HTTPS.
     * @default 8443, which Traefik's chart serves as port 443
     */
    readonly httpsPort?: number;
    /**
     * Port of HTTP for clients.
     * @default httpPort, or 80 where that has its default
     */
    readonly publicHttpPort?: number | undefined;
    /**
     * Port of HTTPS for clients.
     * @default httpsPort, or 443 where that has its default
     */
    readonly publicHttpsPort?: number | undefined;
    /**
     * HTTPS, to which HTTP then redirects. It needs `hostname`.
     * @default none: HTTP only
     */
    readonly https?: HttpsArgs | undefined;
    /**
     * Host name of the routes.
     * @default any host name
     */
    readonly hostname?: string | undefined;
    /**
     * Percent of the traffic for each colour; they add up to 100.
     * @default { blue: 100, green: 0 }
     */
    readonly weights?: Weights;
    /**
     * Retries of requests whose connection to a pod was lost.
     * @default none: the gateway does not retry
     */
    readonly retries?: RetrySettings | undefined;
    /**
     * Service of the page of insights, for the paths below IMPACT_PREFIX.
     * @default none: the Gateway does not serve the page
     */
    readonly impact?: Backend | undefined;
    /**
     * Service of the example, for EXAMPLE_PATHS.
     * @default none: the stack has no example
     */
    readonly example?: Backend | undefined;
}

/** Certificate of the listener for HTTPS. */
export interface HttpsArgs {
    /**
     * An existing Secret with the certificate.
     * @default TLS_SECRET_NAME in the Gateway's namespace
     */
    readonly secret?:
        | {
              /** Name of the Secret. */
              readonly name: string;
              /**
               * Namespace of the Secret.
               * @default that of the Gateway
               */
              readonly namespace?: string | undefined;
          }
        | undefined;
}

/** A Service that the route sends requests to. */
export interface Backend {
    readonly namespace: pulumi.Input<string>;
    readonly serviceName: pulumi.Input<string>;
}

const TRAEFIK = GATEWAY_CONTROLLERS.traefik;

type Defaulted = "namespace" | "gatewayClassName" | "httpPort" | "httpsPort" | "weights";
/** Arguments with their defaults. */
type CompleteArgs = EdgeGatewayArgs & Required<Pick<EdgeGatewayArgs, Defaulted>>;

function withDefaults(args: EdgeGatewayArgs): CompleteArgs {
    return {
        namespace: NAMESPACES.edge,
        gatewayClassName: TRAEFIK.gatewayClassName,
        httpPort: TRAEFIK.httpPort,
        httpsPort: TRAEFIK.httpsPort,
        weights: { blue: 100, green: 0 },
        ...(args.httpPort === undefined && { publicHttpPort: TRAEFIK.publicHttpPort }),
        ...(args.httpsPort === undefined && { publicHttpsPort: TRAEFIK.publicHttpsPort }),
        ...args,
    };
}

/**
 * The entry point of the platform: a Gateway, and a route that splits traffic between the colours.
 *
 * @example
 * ```ts
 * const service = new EmbeddingService("embedding-service", { … });
 * const edge = new EdgeGateway("edge", { backends: service.backends });
 * export const { url } = edge;
 * ```
 */
export class EdgeGateway extends pulumi.ComponentResource {
    /** The Gateway object. */
    public readonly gateway: k8s.apiextensions.CustomResource;
    /** Base URL, in which HOST stands for the Gateway's address where no host name is set. */
    public readonly url: string;

    constructor(name: string, given: EdgeGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:EdgeGateway", name, given, opts);
        const args = withDefaults(given);
        validate(args);
        const child = { parent: this };
        const labels = standardLabels({ name: GATEWAY_NAME, component: "edge" });
        const metadata = (objectName: string) => ({
            name: objectName,
            namespace: args.namespace,
            labels,
        });
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
            grant(`${name}-grant-${colour}`, args, args.backends[colour], child, colour),
        );
        grantSecret(name, args, child);
        const checks = healthChecks(name, args, child);
        const retries = gatewayRetries(args.retries);
        const retryFilters = retries.objects.map(
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
                    ...routeParent(args),
                    rules: [
                        ...COLOURS.map((colour) => previewRule(args, colour)),
                        mainRule(args),
                    ].map((rule) => ({ ...rule, ...retries.rule })),
                },
            },
            // Without a grant, a colour's requests fail with 500; with a filter that does not exist yet, all
            // requests fail with 404.
            { parent: this, dependsOn: [this.gateway, ...grants, ...checks, ...retryFilters] },
        );
        for (const { role, objectName, paths, backend, port } of otherRoutes(args)) {
            const granted = grant(`${name}-grant-${role}`, args, backend, child);
            new k8s.apiextensions.CustomResource(
                `${name}-${role}`,
                {
                    apiVersion: `${GROUP}/v1`,
                    kind: "HTTPRoute",
                    metadata: metadata(objectName),
                    spec: {
                        ...routeParent(args),
                        rules: [
                            {
                                matches: matchPaths(paths),
                                backendRefs: [backendRef(backend, 1, port)],
                            },
                        ],
                    },
                },
                { parent: this, dependsOn: [this.gateway, granted, ...checks] },
            );
        }
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

function validate({ weights, https, hostname }: CompleteArgs): void {
    const check = checkWeights(weights);
    if ("errors" in check) throw new Error(`weights ${check.errors.join("; ")}`);
    if (https !== undefined && hostname === undefined) {
        throw new Error("hostname is not set; allowed: a host name, since https is set");
    }
}

/** Every optional field is set: one that the API server fills in would show as a change in each preview. */
function listeners({ httpPort, httpsPort, https, hostname }: CompleteArgs) {
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

/** The listener for clients, and the host name of the routes. */
function routeParent({ namespace, https, hostname }: CompleteArgs) {
    return {
        parentRefs: [parentRef(namespace, https === undefined ? "http" : "https")],
        ...(hostname !== undefined && { hostnames: [hostname] }),
    };
}

/** Lets routes of the edge namespace refer to a Service, and to nothing else of its namespace. */
function grant(
    name: string,
    { namespace }: CompleteArgs,
    backend: Backend,
    child: pulumi.CustomResourceOptions,
    colour?: Colour,
): pulumi.Resource {
    return new k8s.apiextensions.CustomResource(
        name,
        {
            // The version that every Gateway API release from 1.0 on serves.
            apiVersion: `${GROUP}/v1beta1`,
            kind: "ReferenceGrant",
            metadata: {
                name: "from-edge",
                namespace: backend.namespace,
                labels: standardLabels({
                    name: GATEWAY_NAME,
                    component: "edge",
                    ...(colour && { colour }),
                }),
            },
            spec: {
                from: [{ group: GROUP, kind: "HTTPRoute", namespace }],
                to: [{ group: "", kind: "Service", name: backend.serviceName }],
            },
        },
        child,
    );
}

/** Lets the Gateway read a certificate in another namespace, and no other Secret there. */
function grantSecret(
    name: string,
    { namespace, https }: CompleteArgs,
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

/** Requests with the preview header go to the colour that it names, at any weight; tests of a colour send it. */
function previewRule({ backends }: CompleteArgs, colour: Colour) {
    const header = { type: "Exact", name: HEADERS.previewColour, value: colour };
    return {
        matches: publicPaths().map((match) => ({ ...match, headers: [header] })),
        backendRefs: [backendRef(backends[colour], 1)],
    };
}

/** Both colours, also with weight 0: a single backend gets all requests, whatever its weight. */
function mainRule({ backends, weights }: CompleteArgs) {
    const refs = perColour((colour) => backendRef(backends[colour], weights[colour]));
    return { matches: publicPaths(), backendRefs: COLOURS.map((colour) => refs[colour]) };
}

const publicPaths = () => matchPaths(PUBLIC_PATHS);

interface Paths {
    readonly exact: readonly string[];
    readonly prefix: readonly string[];
}

/** Routes besides that of the service: each has one backend, whose share of the traffic nobody changes. */
function otherRoutes({ impact, example }: CompleteArgs) {
    return [
        ...(impact
            ? [
                  {
                      role: "impact",
                      objectName: IMPACT_ROUTE_NAME,
                      paths: { exact: [], prefix: [IMPACT_PREFIX] },
                      backend: impact,
                      port: PORTS.insights,
                  },
              ]
            : []),
        ...(example
            ? [
                  {
                      role: "example",
                      objectName: EXAMPLE_NAME,
                      paths: { exact: [EXAMPLE_PATHS.page], prefix: [EXAMPLE_PATHS.api] },
                      backend: example,
                      port: PORTS.example,
                  },
              ]
            : []),
    ];
}

function matchPaths({ exact, prefix }: Paths) {
    return [
        ...exact.map((value) => ({ path: { type: "Exact", value } })),
        ...prefix.map((value) => ({ path: { type: "PathPrefix", value } })),
    ];
}

function backendRef(
    { namespace, serviceName }: Backend,
    weight: number,
    port: number = PORTS.service,
) {
    return {
        group: "",
        kind: "Service",
        name: serviceName,
        namespace,
        port,
        weight,
    };
}

/** A certificate challenge matches its path exactly, and so takes precedence over this route. */
function redirectSpec({ namespace, hostname, httpsPort, publicHttpsPort }: CompleteArgs) {
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

function urlOf(args: CompleteArgs): string {
    const { hostname = "HOST", https, httpPort, httpsPort } = args;
    const { publicHttpPort = httpPort, publicHttpsPort = httpsPort } = args;
    return https === undefined
        ? `http://${hostname}${publicHttpPort === 80 ? "" : `:${publicHttpPort}`}`
        : `https://${hostname}${publicHttpsPort === 443 ? "" : `:${publicHttpsPort}`}`;
}
