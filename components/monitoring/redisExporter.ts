import { MONITORING_NAMES, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { EXPORTER_USER, sha256 } from "../redis/settings.ts";
import {
    containerResources,
    containerSecurityContext,
    httpProbe,
    READINESS_TIMING,
} from "../workload.ts";
import { createDeployment, createWorkload, SMALL_RESOURCES } from "./workload.ts";

const SECRET_NAME = "redis-exporter";
const PASSWORD_KEY = "password";

/** Arguments of `RedisExporter`. */
export interface RedisExporterArgs {
    /** Image of redis_exporter 1.45 or newer. */
    readonly image: string;
    /** Namespace of Redis, and of all objects. */
    readonly namespace: pulumi.Input<string>;
    /** Password of the ACL user `exporter`. */
    readonly password: pulumi.Input<string>;
}

/**
 * Exporter of the metrics of each Redis pod: Prometheus names the pod in the scrape. The exporter would log in to
 * any address that it is given, so network policies limit its clients and its destinations.
 */
export class RedisExporter extends pulumi.ComponentResource {
    constructor(name: string, args: RedisExporterArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:RedisExporter", name, args, opts);
        const child = { parent: this };
        const workload = createWorkload(
            name,
            MONITORING_NAMES.redisExporter,
            args.namespace,
            child,
        );
        const secret = new k8s.core.v1.Secret(
            `${name}-secret`,
            {
                metadata: workload.metadata(SECRET_NAME),
                stringData: { [PASSWORD_KEY]: pulumi.secret(args.password) },
            },
            child,
        );
        // The hash of a hash of a random password reveals nothing, and makes a diff readable.
        const checksum = pulumi.unsecret(
            pulumi.output(args.password).apply((password) => sha256(sha256(password))),
        );
        createDeployment(
            name,
            workload,
            {
                port: PORTS.redisExporter,
                checksum,
                spec: { containers: [server(args.image)] },
                needs: [secret],
            },
            child,
        );
        this.registerOutputs({});
    }
}

function server(image: string): k8s.types.input.core.v1.Container {
    return {
        name: "redis-exporter",
        image,
        imagePullPolicy: "IfNotPresent",
        args: [
            // No Redis of its own: each scrape names one.
            "-redis.addr=",
            `-redis.user=${EXPORTER_USER}`,
            // CONFIG GET would show the replication password; the ACL forbids it as well.
            "-config-command=-",
        ],
        env: [
            {
                name: "REDIS_PASSWORD",
                valueFrom: { secretKeyRef: { name: SECRET_NAME, key: PASSWORD_KEY } },
            },
        ],
        ports: [{ name: "http", containerPort: PORTS.redisExporter, protocol: "TCP" }],
        startupProbe: httpProbe("/health", {
            periodSeconds: 2,
            timeoutSeconds: 3,
            failureThreshold: 30,
        }),
        readinessProbe: httpProbe("/health", READINESS_TIMING),
        // The exporter has no other endpoint. Accepting connections is enough for liveness.
        livenessProbe: {
            tcpSocket: { port: "http" },
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
        },
        resources: containerResources(SMALL_RESOURCES),
        securityContext: containerSecurityContext(),
    };
}
