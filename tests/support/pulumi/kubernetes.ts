import { main } from "@pulumi/pulumi/provider/index.js";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

/**
 * Stands in for Pulumi's Kubernetes provider, as a process that the CLI attaches to. The cluster is a file,
 * and while the file `hold` exists an update has changed the cluster, but the engine does not know yet.
 */
const [folder = ""] = process.argv.slice(2);
const cluster = path.join(folder, "cluster.json");
const hold = path.join(folder, "hold");

interface Inputs {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** As the API server stores it: with what no two objects share. */
interface Stored extends Inputs {
    readonly metadata: Inputs["metadata"] & { readonly uid?: string };
    readonly status?: object;
}

function stored(inputs: Inputs): Stored {
    const uid = randomUUID();
    return { ...inputs, metadata: { ...inputs.metadata, uid }, status: { observedGeneration: 1 } };
}

function isAsDeclared({ metadata, status, ...before }: Stored, after: Inputs): boolean {
    const { uid } = metadata;
    return isDeepStrictEqual(
        { ...before, metadata, status },
        { ...after, metadata: { ...after.metadata, uid }, status },
    );
}

type Objects = Record<string, unknown>;

function objects(): Objects {
    return existsSync(cluster) ? (JSON.parse(readFileSync(cluster, "utf8")) as Objects) : {};
}

function idOf({ kind, metadata: { namespace, name } }: Inputs): string {
    return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}

// Renamed into place: a test that polls the file would else read half of it.
function keep(all: Objects): void {
    const whole = `${cluster}.${process.pid}`;
    writeFileSync(whole, JSON.stringify(all));
    renameSync(whole, cluster);
}

function put(id: string, inputs: Inputs): void {
    keep({ ...objects(), [id]: inputs });
}

await main(
    {
        // Newer than any SDK requires.
        version: "100.0.0",
        diff: (_id, _urn, before: Stored, after: Inputs) =>
            Promise.resolve({ changes: !isAsDeclared(before, after) }),
        create: (_urn, inputs: Inputs) => {
            const id = idOf(inputs);
            put(id, inputs);
            return Promise.resolve({ id, outs: stored(inputs) });
        },
        // A deleted object has no ID.
        read: (id) => {
            const found = objects()[id] as Inputs | undefined;
            return Promise.resolve(
                found ? { id, props: stored(found), inputs: found } : { id: "" },
            );
        },
        delete: (id) => {
            const rest = Object.entries(objects()).filter(([one]) => one !== id);
            keep(Object.fromEntries(rest));
            return Promise.resolve();
        },
        update: async (id, _urn, _before, inputs: Inputs) => {
            put(id, inputs);
            while (existsSync(hold)) await delay(50);
            return { outs: stored(inputs) };
        },
    },
    process.argv.slice(3),
);
