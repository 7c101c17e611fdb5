/*
 * Writes the zones of a Redis Cluster's nodes for formCluster.sh, as the labels of the machines under their
 * pods have them. Pods get no such label before Kubernetes 1.35, so the API server is asked.
 *
 * NODES: host:port of every node, each host beginning with its pod's name. NAMESPACE: theirs. OUT: the file,
 * of lines `host zone`; "-" where a machine has no zone, or cannot be asked for it.
 * KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT: the API server's, by Kubernetes itself. ACCOUNT: folder
 * of the account's token and of the authority behind the API server; default: where Kubernetes mounts it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";

const { NODES = "", NAMESPACE = "", OUT = "", KUBERNETES_SERVICE_HOST: host } = process.env;
const port = process.env.KUBERNETES_SERVICE_PORT ?? "443";
const account = process.env.ACCOUNT ?? "/var/run/secrets/kubernetes.io/serviceaccount";
const ATTEMPTS = 10;
const TIMEOUT_MILLISECONDS = 3_000;
const UNKNOWN = "-";

/** @returns {Promise<any>} */
function read(path) {
    return new Promise((resolve, reject) => {
        const asking = request(
            {
                ...{ host, port, path, timeout: TIMEOUT_MILLISECONDS },
                ca: readFileSync(`${account}/ca.crt`),
                headers: {
                    accept: "application/json",
                    authorization: `Bearer ${readFileSync(`${account}/token`, "utf8")}`,
                },
            },
            (response) => {
                let text = "";
                response.setEncoding("utf8").on("data", (part) => (text += part));
                response.on("end", () => {
                    if (response.statusCode === 200) resolve(JSON.parse(text));
                    else
                        reject(new Error(`${path} responded with ${response.statusCode}: ${text}`));
                });
            },
        );
        asking.on("timeout", () => asking.destroy(new Error(`${path} did not respond in time`)));
        asking.on("error", reject);
        asking.end();
    });
}

async function zoneOf(pod) {
    const { spec } = await read(`/api/v1/namespaces/${NAMESPACE}/pods/${pod}`);
    if (!spec.nodeName) throw new Error(`pod ${pod} is not scheduled to a node yet`);
    const { metadata } = await read(`/api/v1/nodes/${spec.nodeName}`);
    return metadata.labels?.["topology.kubernetes.io/zone"] ?? UNKNOWN;
}

/** A zone that cannot be asked for is unknown, and then nothing is moved for its sake: Redis comes first. */
async function patientZoneOf(pod) {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await zoneOf(pod);
        } catch (error) {
            if (attempt === ATTEMPTS) {
                console.error(`the zone of ${pod} is unknown: ${error.message}`);
                return UNKNOWN;
            }
            await delay(1_000);
        }
    }
}

const hosts = NODES.split(" ").map((node) => node.slice(0, node.lastIndexOf(":")));
const lines = await Promise.all(
    hosts.map(async (name) => `${name} ${await patientZoneOf(name.split(".")[0])}\n`),
);
writeFileSync(OUT, lines.join(""));
process.stdout.write(lines.join(""));
