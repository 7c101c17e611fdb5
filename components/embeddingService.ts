import { NAMESPACES, perColour, type PerColour } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import type { ScalingSettings } from "./autoscaler/scaling.ts";
import {
    EmbeddingServiceColour,
    type EmbeddingServiceColourArgs,
    type RedisAccess,
    type ServiceArgs,
} from "./embeddingService/colour.ts";

/** Arguments of `EmbeddingService`. */
export interface EmbeddingServiceArgs {
    /** Image and version of each colour. */
    readonly releases: PerColour<EmbeddingServiceColourArgs["release"]>;
    /** Login to Redis: the passwords of a `Redis` component, or an existing Redis. */
    readonly redis: RedisAccess;
    /** Clients of the service. Only the key of the tenant `platform` is required. */
    readonly tenants: EmbeddingServiceColourArgs["tenants"];
    /** Bearer token of the pods' admin port, at least 32 characters. */
    readonly adminToken: pulumi.Input<string>;
    /**
     * Bearer token of the pods' automation port, at least 32 characters.
     * @default none: the pods have no automation port
     */
    readonly automationToken?: pulumi.Input<string> | undefined;
    /**
     * Settings of both colours that differ from the defaults.
     * @default DEFAULT_SERVICE: the local model, and 2 to 10 pods of one CPU
     */
    readonly service?: Partial<ServiceArgs>;
    /**
     * Settings of the autoscalers.
     * @default {}: they scale on CPU alone
     */
    readonly autoscaling?: ScalingSettings;
    /**
     * Namespace of each colour. Network policies and scrape targets name the default ones.
     * @default NAMESPACES
     */
    readonly namespaces?: PerColour<pulumi.Input<string>>;
}

/** Values of the settings that an `EmbeddingService` is created without. */
export const DEFAULT_SERVICE: ServiceArgs = {
    minReplicas: 2,
    maxReplicas: 10,
    resources: { cpuRequest: "1", cpuLimit: "2", memoryRequest: "2Gi", memoryLimit: "4Gi" },
    settings: {},
    preStopSeconds: 10,
};

/**
 * The embedding service in its two colours, each with pods, a Service, an autoscaler and a disruption budget. A route
 * splits the traffic between them.
 *
 * @example
 * ```ts
 * const service = new EmbeddingService("embedding-service", {
 *     releases: {
 *         blue: { image: "registry.example.com/embedding-service:v1.0.0", version: "v1.0.0" },
 *         green: { image: "registry.example.com/embedding-service:v1.1.0", version: "v1.1.0" },
 *     },
 *     redis: { passwords },
 *     tenants: { platformKey: config.requireSecret("platformKey") },
 *     adminToken: config.requireSecret("adminToken"),
 * });
 * ```
 */
export class EmbeddingService extends pulumi.ComponentResource {
    /** Service of each colour, as a backend of the route. */
    public readonly backends: PerColour<EmbeddingServiceColour>;

    constructor(name: string, args: EmbeddingServiceArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:EmbeddingService", name, args, opts);
        const { releases, namespaces = NAMESPACES, autoscaling = {}, ...shared } = args;
        const service = { ...DEFAULT_SERVICE, ...args.service };
        this.backends = perColour(
            (colour) =>
                new EmbeddingServiceColour(
                    `${name}-${colour}`,
                    {
                        ...shared,
                        colour,
                        namespace: namespaces[colour],
                        release: releases[colour],
                        service,
                        autoscaling,
                    },
                    { parent: this },
                ),
        );
        this.registerOutputs({ backends: this.backends });
    }
}
