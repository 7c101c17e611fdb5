import { MONITORING_NAMES, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { serviceHost } from "../addresses.ts";
import { sha256 } from "../redis/settings.ts";
import { containerResources, containerSecurityContext } from "../workload.ts";
import { alertmanagerConfig, type AlertmanagerConfigArgs } from "./alertmanagerConfig.ts";
import {
    SMALL_RESOURCES,
    createStatefulSet,
    createWorkload,
    httpPort,
    serverProbes,
} from "./workload.ts";
import { ALERTMANAGER_FOLDER, SLACK_URL_KEY, type AlertReceivers } from "./receivers.ts";

const DATA_FOLDER = "/alertmanager";
const CONFIG_NAME = "alertmanager-config";
const CONFIG_KEY = "alertmanager.yml";
const PODS_SERVICE = `${MONITORING_NAMES.alertmanager}-pods`;
/** Size of each volume: silences and the notification log take kilobytes. */
export const ALERTMANAGER_STORAGE = "1Gi";

/** Settings of Alertmanager. */
export interface AlertmanagerSettings {
    /**
     * Image of Alertmanager 0.25 or newer.
     * @default "prom/alertmanager:v0.28.1"
     */
    readonly image: string;
    /**
     * Number of pods. With more than one, each receives every alert, and one of them notifies.
     * @default 1
     */
    readonly replicas: number;
    /**
     * Destinations of notifications.
     * @default {}
     */
    readonly receivers: AlertReceivers;
    /**
     * URL of Slack's incoming webhook.
     * @default none: nothing is sent to Slack
     */
    readonly slackUrl?: pulumi.Input<string> | undefined;
}

/** Values of the settings that `Monitoring` is created without. */
export const DEFAULT_ALERTMANAGER = {
    image: "prom/alertmanager:v0.28.1",
    replicas: 1,
    receivers: {},
} as const satisfies AlertmanagerSettings;

/** Arguments of `Alertmanager`. */
export interface AlertmanagerArgs extends AlertmanagerSettings {
    /** Namespace of all objects. */
    readonly namespace: pulumi.Input<string>;
    /**
     * StorageClass of the volumes.
     * @default the default class of the cluster
     */
    readonly storageClass?: string | undefined;
}

/** Alertmanager with its routes and receivers, which are in one Secret. */
export class Alertmanager extends pulumi.ComponentResource {
    constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Alertmanager", name, args, opts);
        const child = { parent: this };
        const workload = createWorkload(name, MONITORING_NAMES.alertmanager, args.namespace, child);
        const { slackUrl, replicas } = args;
        const config = stringify(alertmanagerConfig(destinations(args.receivers)), {
            lineWidth: 0,
        });
        const secret = new k8s.core.v1.Secret(
            `${name}-config`,
            {
                metadata: workload.metadata(CONFIG_NAME),
                stringData: {
                    [CONFIG_KEY]: pulumi.secret(config),
                    ...(slackUrl !== undefined && { [SLACK_URL_KEY]: pulumi.secret(slackUrl) }),
                },
            },
            child,
        );
        // The hash of a hash of a random URL reveals nothing, and makes a diff readable.
        const checksum = pulumi.unsecret(
            pulumi.output(slackUrl ?? "").apply((url) => sha256(sha256(url) + sha256(config))),
        );
        const pods = new k8s.core.v1.Service(
            `${name}-pods`,
            {
                metadata: workload.metadata(PODS_SERVICE),
                spec: {
                    clusterIP: "None",
                    // The pods find each other before they are ready.
                    publishNotReadyAddresses: true,
                    selector: workload.matchLabels,
                    ports: [httpPort(PORTS.alertmanager)],
                },
            },
            child,
        );
        createStatefulSet(
            name,
            workload,
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
        ...serverProbes("/-/ready", "/-/healthy", { periodSeconds: 2, failureThreshold: 30 }),
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
        // A restarted pod has a new address, found by its DNS name; the old one is forgotten soon.
        "--cluster.reconnect-timeout=5m",
        ...peers,
    ];
}
