import type { V1Secret } from "@kubernetes/client-node";
import { NAMESPACES, REDIS_NAME } from "@property-search/contract";
import { forwardPort } from "../cluster/forward.ts";
import { ClusterError, connect, readIfExists, type Cluster } from "../cluster/connect.ts";
import { chooseKubeconfig } from "../stack/localCluster.ts";
import { redisPods } from "../rotate/secretCheckers.ts";
import { requireBackup } from "./file.ts";
import { connectPrimaries, type Primaries } from "./primaries.ts";
import { backUp, restore } from "./transfer.ts";

export interface BackupOptions {
    readonly kubeconfig?: string;
    readonly context?: string;
    readonly file: string;
    readonly report: (line: string) => void;
}

const AUTH = { name: `${REDIS_NAME}-auth`, key: "admin-password" };
/** Entries between two progress lines. */
const PROGRESS = 50_000;

export async function backUpStack(options: BackupOptions): Promise<void> {
    const { file, report } = options;
    await withPrimaries(connectTo(options), async (primaries) => {
        const count = await backUp(
            primaries,
            file,
            throttleByCount(PROGRESS, (entries) => {
                report(`${entries} entries`);
            }),
        );
        report(`${count} entries of Redis ${primaries.version} are in ${file}`);
    });
}

export async function restoreStack(options: BackupOptions): Promise<void> {
    const { file, report } = options;
    await requireBackup(file);
    await withPrimaries(connectTo(options), async (primaries) => {
        const reportProgress = throttleByCount(PROGRESS, (entries) => {
            report(`${entries} entries`);
        });
        const { written, kept, expired } = await restore(primaries, file, (counts) => {
            reportProgress(counts.written + counts.kept + counts.expired);
        });
        report(`${written} entries written, ${kept} existing ones kept, ${expired} expired`);
    });
}

function connectTo(options: BackupOptions): Cluster {
    return connect(chooseKubeconfig(options), options.context);
}

/** Connects by port-forward: Redis is not reachable from outside of the cluster. */
export async function withPrimaries(
    cluster: Cluster,
    work: (primaries: Primaries) => Promise<void>,
): Promise<void> {
    const password = await readAdminPassword(cluster);
    const pods = await redisPods(cluster);
    const forwards = await Promise.all(pods.map((pod) => forwardPort(cluster, pod)));
    try {
        const addresses = forwards.map(({ url }) => ({
            host: "127.0.0.1",
            port: Number(new URL(url).port),
        }));
        const primaries = await connectPrimaries(addresses, password);
        try {
            await work(primaries);
        } finally {
            primaries.close();
        }
    } finally {
        await Promise.all(forwards.map(({ close }) => close()));
    }
}

/** Password of the admin user of the stack's own Redis. @throws ClusterError if the stack has none */
export async function readAdminPassword(cluster: Cluster): Promise<string> {
    const reference = {
        apiVersion: "v1",
        kind: "Secret",
        namespace: NAMESPACES.data,
        name: AUTH.name,
    };
    const data = (await readIfExists<V1Secret>(cluster, reference))?.data?.[AUTH.key];
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    throw new ClusterError(
        `${cluster.context} has no Secret ${NAMESPACES.data}/${AUTH.name}: the stack is not deployed, or its Redis is external`,
    );
}

function throttleByCount(
    step: number,
    reportCount: (count: number) => void,
): (count: number) => void {
    let next = step;
    return (count) => {
        if (count < next) return;
        reportCount(count);
        next = count + step;
    };
}
