import type { V1Pod } from "@kubernetes/client-node";
import { COLOURS } from "@property-search/contract";
import { eventually, podsOf, type TestCluster } from "./cluster.ts";

/** A namespace of the test's own, whose pods belong to nothing of the stack. */
export interface Strangers {
    /** A pod that listens on some ports, each named after its number. */
    readonly run: (name: string, ports: readonly number[], labels?: Labels) => Promise<V1Pod>;
    /** Makes a network policy there. */
    readonly allow: (name: string, spec: object) => Promise<void>;
    readonly remove: () => Promise<void>;
}

type Labels = Readonly<Record<string, string>>;

/** On a machine whose processors are busy. */
const START_SECONDS = 180;

/** Beside its listeners it has a timer, without which one without listeners would end. */
const LISTEN =
    "setInterval(() => {}, 1e6); " +
    "for (const port of process.argv.slice(1)) require('net').createServer().listen(+port)";

/** Makes the namespace. Its pods run the service's image, for its Node alone. */
export async function openStrangers(cluster: TestCluster, namespace: string): Promise<Strangers> {
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
