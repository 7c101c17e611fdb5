import type { Manifest, Registration } from "../../render.ts";
import { captureResources, Secret } from "../../render/program.ts";

/** Everything that code declares, with how to find one part of it. */
export class Declared {
    readonly all: readonly Registration[];

    constructor(all: readonly Registration[]) {
        this.all = all;
    }

    /** The one resource of a type whose token ends so, such as `:Deployment`. */
    one(type: string, name?: string): Registration {
        const found = this.of(type).filter((one) => name === undefined || one.name === name);
        const [only] = found;
        if (found.length !== 1 || !only) {
            const names = this.all.map((one) => `${one.type} ${one.name}`).join("\n");
            throw new Error(
                `${found.length} resources are ${type} ${name ?? ""}; there are:\n${names}`,
            );
        }
        return only;
    }

    of(type: string): Registration[] {
        return this.all.filter((one) => one.type.endsWith(type));
    }
}

export async function declared(declare: () => unknown): Promise<Declared> {
    return new Declared(await captureResources(declare));
}

/** Last parts of the types that a resource waits for, such as `Secret`. */
export function needsOf({ options }: Registration): string[] {
    const needs = (options.dependsOn ?? []) as unknown as { __pulumiType: string }[];
    return needs.map(({ __pulumiType }) => __pulumiType.split(":").pop() ?? "");
}

/** A part of a resource's inputs or of a manifest, by path; secrets are opened. */
export function at(root: unknown, ...path: readonly (string | number)[]): unknown {
    return path.reduce<unknown>((value, key) => {
        const opened = value instanceof Secret ? value.value : value;
        return (opened as Record<string, unknown> | undefined)?.[key];
    }, root);
}

/** Every value in a tree with its path. */
export function* walk(root: unknown, path = ""): Generator<[string, unknown]> {
    yield [path, root];
    if (typeof root !== "object" || root === null || root instanceof Secret) return;
    for (const [key, value] of Object.entries(root)) yield* walk(value, `${path}.${key}`);
}

/** The pods of a manifest: its template's spec, or undefined for what has none. */
export function podSpecOf(manifest: Manifest): Record<string, unknown> | undefined {
    return at(manifest, "spec", "template", "spec") as Record<string, unknown> | undefined;
}

export function containersOf(manifest: Manifest): Record<string, unknown>[] {
    const pod = podSpecOf(manifest);
    return [pod?.initContainers, pod?.containers].flatMap(
        (list) => (list ?? []) as Record<string, unknown>[],
    );
}
