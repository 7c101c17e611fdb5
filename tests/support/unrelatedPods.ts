import type { V1Pod } from "@kubernetes/client-node";
import { COLOURS } from "@property-search/contract";
import { eventually, podsOf, type TestCluster } from "./cluster.ts";

/** A separate namespace with pods that are not part of the stack. */
export interface UnrelatedPods {
    /** Starts a pod that listens on these ports, each named after its number. */
    readonly run: (name: string, ports: readonly number[], labels?: Labels) => Promise<V1Pod>;
    /** Creates a network policy in the namespace. */
    readonly allow: (name: string, spec: object) => Promise<void>;
    readonly remove: () => Promise<void>;
}

type Labels = Readonly<Record<string, string>>;

/** Long enough for a busy machine. */
const START_SECONDS = 180;

/** The timer keeps the process alive if it has no listeners. */
const LISTEN =
    "setInterval(() => {}, 1e6); " +
    "for (const port of process.argv.slice(1)) require('net').createServer().listen(+port)";

/** Creates the namespace. Its pods run Node from the service's image. */
export async function createUnrelatedPods(
    cluster: TestCluster,
    namespace: string,
): Promise<UnrelatedPods> {
    const { objects } = cluster;
    const [service] = await podsOf(cluster, COLOURS[0]);
    const image = service?.spec?.containers[0]?.image;
    if (image === undefined) throw new Error("no pod of the service runs");
    const place = { apiVersion: "v1", kind: "Namespace", name: namespace };
    await objects.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    return {
        run: async (name, ports, labels = {}) => {
            const command = ["node", "-e", LISTEN, ...ports.map(String)];
            const named = ports.map((port) => ({ name: `p${port}`, containerPort: port }));
            const containers = [{ name: "node", image, command, ports: named }];
            await objects.create({
                apiVersion: "v1",
                kind: "Pod",
                metadata: { namespace, name, labels: { ...labels } },
                spec: { containers, terminationGracePeriodSeconds: 0 },
            });
            const read = () =>
                objects.read<V1Pod>({ apiVersion: "v1", kind: "Pod", namespace, name });
            const runs = async () => {
                const { status } = await read();
                return status?.phase === "Running" && status.podIP !== undefined;
            };
            await eventually(`pod ${name} runs`, runs, START_SECONDS);
            return read();
        },
        allow: async (name, spec) => {
            const apiVersion = "networking.k8s.io/v1";
            const policy = {
                apiVersion,
                kind: "NetworkPolicy",
                metadata: { namespace, name },
                spec,
            };
            await objects.create(policy);
        },
        remove: () => objects.delete(place),
    };
}
