import { MONITORING_NAMES, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { EXPORTER_USER, sha256 } from "../redis/settings.ts";
import { containerResources, containerSecurityContext, httpProbe } from "../workload.ts";
import { createDeployment, createWorkload, SMALL_RESOURCES } from "./workload.ts";

const SECRET_NAME = "redis-exporter";
const PASSWORD_KEY = "password";

export interface RedisExporterArgs {
    /** redis_exporter 1.45 or newer. */
    readonly image: string;
    /** That of Redis. */
    readonly namespace: pulumi.Input<string>;
    /** Of the ACL user `exporter`. */
    readonly password: pulumi.Input<string>;
}

/**
 * Asks Redis for its figures, pod by pod: Prometheus names the pod in each scrape. It would log in
 * wherever it is sent, so who may ask it and where it may go is for network policies to say.
 */
export class RedisExporter extends pulumi.ComponentResource {
    constructor(name: string, args: RedisExporterArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:RedisExporter", name, args, opts);
        const child = { parent: this };
        const own = createWorkload(name, MONITORING_NAMES.redisExporter, args.namespace, child);
        const secret = new k8s.core.v1.Secret(
            `${name}-secret`,
            {
                metadata: own.metadata(SECRET_NAME),
                stringData: { [PASSWORD_KEY]: pulumi.secret(args.password) },
            },
            child,
        );
        // The hash of a hash of a random password gives nothing away, and lets a diff be read.
        const checksum = pulumi.unsecret(
            pulumi.output(args.password).apply((password) => sha256(sha256(password))),
        );
        createDeployment(
            name,
            own,
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
            // No Redis of its own: it asks those that it is told.
            "-redis.addr=",
            `-redis.user=${EXPORTER_USER}`,
            // CONFIG GET would show the password of replication; the user may not ask it anyway.
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
        readinessProbe: httpProbe("/health", {
            periodSeconds: 5,
            timeoutSeconds: 3,
            failureThreshold: 3,
        }),
        // It has no other page to ask; that it takes connections is all that liveness is about.
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
