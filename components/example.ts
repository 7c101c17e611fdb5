import { EXAMPLE_NAME, EXAMPLE_NAMESPACE, EXAMPLE_SECRET, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createDeployment, createWorkload, serverProbes } from "./monitoring/workload.ts";
import { quota, type Quota } from "./quotas.ts";
import { sha256 } from "./redis/settings.ts";
import {
    containerResources,
    containerSecurityContext,
    httpProbe,
    type Resources,
} from "./workload.ts";

type EnvVar = k8s.types.input.core.v1.EnvVar;

const COMPONENT = "example";
/** Seconds that a terminating pod keeps serving, while the gateway removes it from its endpoints. */
const PRE_STOP_SECONDS = 5;
const DRAIN_SECONDS = 20;
const MARGIN_SECONDS = 15;

/** With 3,600 sessions and 1,000 clients it takes 164 MiB (docs/example.md). */
const RESOURCES: Resources = {
    cpuRequest: "20m",
    cpuLimit: "1",
    memoryRequest: "160Mi",
    memoryLimit: "320Mi",
};

/** Settings of the example. */
export interface ExampleSettings {
    /** Image of examples/property-search/Dockerfile. */
    readonly image: string;
    /** Base URL of the embedding service, without a path. The Gateway's, so that its weights apply. */
    readonly serviceUrl: string;
    /** Model of the embedding service. */
    readonly model: string;
    /**
     * An OpenAI-compatible API that words the answers of the chat.
     * @default none: they are composed from the listings
     */
    readonly chat?: ExampleChat | undefined;
}

/** A chat API. */
export interface ExampleChat {
    /** Base URL, with /v1. */
    readonly url: string;
    /** Model of the API. */
    readonly model: string;
    /** Seconds for an answer. */
    readonly timeoutSeconds: number;
    /**
     * API key.
     * @default none: the API needs none
     */
    readonly apiKey?: pulumi.Input<string> | undefined;
}

/** Arguments of `PropertySearchExample`. */
export interface ExampleArgs extends ExampleSettings {
    /**
     * Namespace of all objects. Network policies and grants name the default one.
     * @default "property-search-example"
     */
    readonly namespace?: pulumi.Input<string>;
    /** API key of the embedding service. */
    readonly apiKey: pulumi.Input<string>;
}

/** Quota of the example's namespace: its pod with a successor, and two for debugging. */
export function exampleQuota(): Quota {
    return quota([{ pods: 4, containers: [RESOURCES] }]);
}

/**
 * A property search that uses the embedding service: one pod, since the sessions of its chat are in its memory.
 *
 * @example
 * ```ts
 * new PropertySearchExample("example", {
 *     image: "registry.example.com/property-search:v1.0.0",
 *     serviceUrl: "http://traefik.traefik.svc.cluster.local",
 *     model: "all-MiniLM-L6-v2",
 *     apiKey: config.requireSecret("apiKey"),
 * });
 * ```
 */
export class PropertySearchExample extends pulumi.ComponentResource {
    constructor(name: string, given: ExampleArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:PropertySearchExample", name, given, opts);
        const child = { parent: this };
        const args = { namespace: EXAMPLE_NAMESPACE, ...given };
        const workload = createWorkload(name, EXAMPLE_NAME, args.namespace, child, COMPONENT);
        const chatApiKey = args.chat?.apiKey;
        const secret = new k8s.core.v1.Secret(
            `${name}-secret`,
            {
                metadata: workload.metadata(EXAMPLE_SECRET.name),
                stringData: {
                    [EXAMPLE_SECRET.embeddingApiKey]: pulumi.secret(args.apiKey),
                    ...(chatApiKey !== undefined && {
                        [EXAMPLE_SECRET.chatApiKey]: pulumi.secret(chatApiKey),
                    }),
                },
            },
            child,
        );
        // The hash of hashes of random keys reveals nothing. The pod reads them at startup.
        const checksum = pulumi.unsecret(
            pulumi
                .all([args.apiKey, chatApiKey ?? ""])
                .apply((keys) => sha256(JSON.stringify(keys.map(sha256)))),
        );
        createDeployment(
            name,
            workload,
            {
                port: PORTS.example,
                checksum,
                spec: {
                    terminationGracePeriodSeconds:
                        PRE_STOP_SECONDS + DRAIN_SECONDS + MARGIN_SECONDS,
                    containers: [container(args)],
                    volumes: [],
                },
                needs: [secret],
            },
            child,
        );
        this.registerOutputs({});
    }
}

function container(args: ExampleArgs): k8s.types.input.core.v1.Container {
    return {
        name: "search",
        image: args.image,
        imagePullPolicy: "IfNotPresent",
        ports: [{ name: "http", containerPort: PORTS.example, protocol: "TCP" }],
        env: environment(args),
        // It starts without the embedding service, whose vectors it waits for before it is ready.
        ...serverProbes("/readyz", "/healthz", { periodSeconds: 2, failureThreshold: 30 }),
        startupProbe: httpProbe("/healthz", {
            periodSeconds: 2,
            timeoutSeconds: 3,
            failureThreshold: 30,
        }),
        lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
        resources: containerResources(RESOURCES),
        securityContext: containerSecurityContext(),
    };
}

function environment({ serviceUrl, model, chat }: ExampleArgs): EnvVar[] {
    const fromSecret = (name: string, key: string): EnvVar => ({
        name,
        valueFrom: { secretKeyRef: { name: EXAMPLE_SECRET.name, key } },
    });
    return [
        { name: "PORT", value: `${PORTS.example}` },
        { name: "EMBEDDING_URL", value: `${serviceUrl.replace(/\/+$/, "")}/v1` },
        { name: "EMBEDDING_MODEL", value: model },
        fromSecret("EMBEDDING_API_KEY", EXAMPLE_SECRET.embeddingApiKey),
        { name: "DRAIN_TIMEOUT_SECONDS", value: `${DRAIN_SECONDS}` },
        ...(chat
            ? [
                  { name: "CHAT_URL", value: chat.url },
                  { name: "CHAT_MODEL", value: chat.model },
                  { name: "CHAT_TIMEOUT_SECONDS", value: `${chat.timeoutSeconds}` },
              ]
            : []),
        ...(chat?.apiKey === undefined
            ? []
            : [fromSecret("CHAT_API_KEY", EXAMPLE_SECRET.chatApiKey)]),
    ];
}
