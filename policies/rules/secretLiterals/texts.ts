import { json, known, list, type KubernetesObject, type Place } from "../../kubernetes/object.ts";
import { podOf, type Container } from "../../kubernetes/pods.ts";
import type { Text } from "../../kubernetes/secretsInText.ts";

/** A plaintext value, and the fix that reads it from a Secret. */
export interface Written extends Text {
    readonly fix: unknown;
}

/** Lists the plaintext values of an object: environments, commands, ConfigMaps. */
export function* textsOf(object: KubernetesObject): Iterable<Place<Written>> {
    if (object.kind === "ConfigMap") yield* ofConfigMap(object);
    const pod = podOf(object);
    if (!pod) return;
    for (const container of [...pod.containers, ...pod.ephemeral]) {
        yield* ofEnvironment(container);
        yield* ofCommand(container, "command");
        yield* ofCommand(container, "args");
    }
}

function* ofConfigMap({ body }: KubernetesObject): Iterable<Place<Written>> {
    const data = json(body.data);
    for (const key of Object.keys(data)) {
        const fix = { kind: "Secret", stringData: { [key]: "…" } };
        const read = () => ({ name: key, text: textOf(data[key]), isCommand: false, fix });
        yield { path: `data[${key}]`, read };
    }
}

function* ofEnvironment({ name: container, path, spec }: Container): Iterable<Place<Written>> {
    for (const [index, variable] of list(spec.env).entries()) {
        const name = known(() => textOf(variable.name)) ?? `${index}`;
        yield {
            container,
            path: `${path}.env[${name}].value`,
            read: () => {
                const text = textOf(variable.value);
                return {
                    name: textOf(variable.name),
                    text,
                    isCommand: true,
                    fix: fromSecret(name),
                };
            },
        };
    }
}

function* ofCommand(
    { name: container, path, spec }: Container,
    field: "args" | "command",
): Iterable<Place<Written>> {
    const words: readonly unknown[] = spec[field] ?? [];
    for (const index of words.keys()) {
        yield {
            container,
            path: `${path}.${field}[${index}]`,
            read: () => {
                const text = textOf(words[index]);
                // `--password x` consists of two arguments.
                const [, name] = /^--?([A-Za-z][\w.-]*)$/.exec(textOf(words[index - 1])) ?? [];
                const isFlag = text.startsWith("-");
                const fix = { [field]: ["$(PASSWORD)"], ...fromSecret("PASSWORD") };
                return { name: isFlag ? undefined : name, text, isCommand: true, fix };
            },
        };
    }
}

function fromSecret(name: string) {
    const valueFrom = { secretKeyRef: { name: "SECRET", key: "KEY" } };
    return { env: [{ name, valueFrom }] };
}

function textOf(value: unknown): string {
    return typeof value === "string" ? value : "";
}
