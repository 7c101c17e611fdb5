import { MONITORING_NAMES, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { serviceHost } from "../addresses.ts";
import { sha256 } from "../redis/settings.ts";
import { containerResources, containerSecurityContext, httpProbe } from "../workload.ts";
import { alertmanagerConfig, type AlertmanagerConfigArgs } from "./alertmanagerConfig.ts";
import { httpPort, createWorkload, SMALL_RESOURCES, createStatefulSet } from "./workload.ts";
import { ALERTMANAGER_FOLDER, SLACK_URL_KEY, type AlertReceivers } from "./receivers.ts";

const DATA_FOLDER = "/alertmanager";
const CONFIG_NAME = "alertmanager-config";
const CONFIG_KEY = "alertmanager.yml";
const PODS_SERVICE = `${MONITORING_NAMES.alertmanager}-pods`;
/** Silences and the log of what was sent: kilobytes. */
export const ALERTMANAGER_STORAGE = "1Gi";

/** What a stack decides of Alertmanager. */
export interface AlertmanagerSettings {
    /** Alertmanager 0.25 or newer. */
    readonly image: string;
    /** Pods; of several, each gets every alert, and one of them notifies. */
    readonly replicas: number;
    readonly receivers: AlertReceivers;
    /** URL of Slack's incoming webhook; undefined: nothing goes to Slack. */
    readonly slackUrl?: pulumi.Input<string> | undefined;
}

export interface AlertmanagerArgs extends AlertmanagerSettings {
    readonly namespace: pulumi.Input<string>;
    /** Default: the cluster's default class. */
    readonly storageClass?: string | undefined;
}

/** Alertmanager with its routes and receivers, all of which stand in one Secret. */
export class Alertmanager extends pulumi.ComponentResource {
    constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Alertmanager", name, args, opts);
        const child = { parent: this };
        const own = createWorkload(name, MONITORING_NAMES.alertmanager, args.namespace, child);
        const { slackUrl, replicas } = args;
        const config = stringify(alertmanagerConfig(destinations(args.receivers)), {
            lineWidth: 0,
        });
        const secret = new k8s.core.v1.Secret(
            `${name}-config`,
            {
                metadata: own.metadata(CONFIG_NAME),
                stringData: {
                    [CONFIG_KEY]: pulumi.secret(config),
                    ...(slackUrl !== undefined && { [SLACK_URL_KEY]: pulumi.secret(slackUrl) }),
                },
            },
            child,
        );
        // A hash of a hash of random letters gives nothing away, and lets a diff be read.
        const checksum = pulumi.unsecret(
            pulumi.output(slackUrl ?? "").apply((url) => sha256(sha256(url) + sha256(config))),
        );
        const pods = new k8s.core.v1.Service(
            `${name}-pods`,
            {
                metadata: own.metadata(PODS_SERVICE),
                spec: {
                    clusterIP: "None",
                    // They find each other before they are ready.
                    publishNotReadyAddresses: true,
                    selector: own.matchLabels,
                    ports: [httpPort(PORTS.alertmanager)],
                },
            },
            child,
        );
        createStatefulSet(
            name,
            own,
            {
                port: PORTS.alertmanager,
                checksum,
                set: { serviceName: PODS_SERVICE, replicas },
                storage: ALERTMANAGER_STORAGE,
                storageClass: args.storageClass,
                spec: {
                    containers: [server(args.image, replicas)],
                    volumes: [
                        {
                            name: "config",
                            secret: { secretName: CONFIG_NAME, defaultMode: 0o440 },
                        },
                    ],
                },
                needs: [secret, pods],
            },
            child,
        );
        this.registerOutputs({});
    }
}

function destinations(receivers: AlertReceivers): AlertmanagerConfigArgs {
    const { slackChannel, slackCriticalChannel, webhookUrl, watchdogUrl } = receivers;
    return {
        slack:
            slackChannel === undefined
                ? undefined
                : {
                      urlFile: `${ALERTMANAGER_FOLDER}/${SLACK_URL_KEY}`,
                      channel: slackChannel,
                      criticalChannel: slackCriticalChannel,
                  },
        webhook: webhookUrl === undefined ? undefined : { url: webhookUrl },
        watchdog: watchdogUrl === undefined ? undefined : { url: watchdogUrl },
    };
}

function server(image: string, replicas: number): k8s.types.input.core.v1.Container {
    const alone = replicas === 1;
    return {
        name: "alertmanager",
        image,
        imagePullPolicy: "IfNotPresent",
        args: [
            `--config.file=${ALERTMANAGER_FOLDER}/${CONFIG_KEY}`,
            `--storage.path=${DATA_FOLDER}`,
            "--data.retention=120h",
            ...(alone ? ["--cluster.listen-address="] : gossip(replicas)),
        ],
        ...(!alone && {
            env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
        }),
        ports: [
            { name: "http", containerPort: PORTS.alertmanager, protocol: "TCP" },
            ...(alone
                ? []
                : (["TCP", "UDP"] as const).map((protocol) => ({
                      name: `peers-${protocol.toLowerCase()}`,
                      containerPort: PORTS.alertmanagerPeers,
                      protocol,
                  }))),
        ],
        startupProbe: httpProbe("/-/ready", {
            periodSeconds: 2,
            timeoutSeconds: 3,
            failureThreshold: 30,
        }),
        readinessProbe: httpProbe("/-/ready", {
            periodSeconds: 5,
            timeoutSeconds: 3,
            failureThreshold: 3,
        }),
        livenessProbe: httpProbe("/-/healthy", {
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
        }),
        resources: containerResources(SMALL_RESOURCES),
        securityContext: containerSecurityContext(),
        volumeMounts: [
            { name: "data", mountPath: DATA_FOLDER },
            { name: "config", mountPath: ALERTMANAGER_FOLDER, readOnly: true },
        ],
    };
}

function gossip(replicas: number): string[] {
    const domain = serviceHost(PODS_SERVICE, "monitoring");
    const peers = Array.from(
        { length: replicas },
        (_, index) =>
            `--cluster.peer=${MONITORING_NAMES.alertmanager}-${index}.${domain}:${PORTS.alertmanagerPeers}`,
    );
    return [
        `--cluster.listen-address=0.0.0.0:${PORTS.alertmanagerPeers}`,
        `--cluster.advertise-address=$(POD_IP):${PORTS.alertmanagerPeers}`,
        // A pod that came again has another address, which its name tells.
        "--cluster.reconnect-timeout=5m",
        ...peers,
    ];
}
