import {
    asJson,
    ifKnown,
    asList,
    type KubernetesObject,
    type Place,
} from "../../kubernetes/object.ts";
import { getPod, type Container } from "../../kubernetes/pods.ts";
import type { Text } from "../../kubernetes/secretsInText.ts";

/** A plaintext value, and the fix that reads it from a Secret. */
export interface PlainValue extends Text {
    readonly fix: unknown;
}

/** Lists the plaintext values of an object: environments, commands, ConfigMaps. */
export function* listPlainValues(object: KubernetesObject): Iterable<Place<PlainValue>> {
    if (object.kind === "ConfigMap") yield* readConfigMap(object);
    const pod = getPod(object);
    if (!pod) return;
    for (const container of [...pod.containers, ...pod.ephemeral]) {
        yield* readEnvironment(container);
        yield* readCommand(container, "command");
        yield* readCommand(container, "args");
    }
}

function* readConfigMap({ body }: KubernetesObject): Iterable<Place<PlainValue>> {
    const data = asJson(body.data);
    for (const key of Object.keys(data)) {
        const fix = { kind: "Secret", stringData: { [key]: "…" } };
        const read = () => ({ name: key, text: toText(data[key]), isCommand: false, fix });
        yield { path: `data[${key}]`, read };
    }
}

function* readEnvironment({ name: container, path, spec }: Container): Iterable<Place<PlainValue>> {
    for (const [index, variable] of asList(spec.env).entries()) {
        const name = ifKnown(() => toText(variable.name)) ?? `${index}`;
        yield {
            container,
            path: `${path}.env[${name}].value`,
            read: () => {
                const text = toText(variable.value);
                return {
                    name: toText(variable.name),
                    text,
                    isCommand: true,
                    fix: fromSecret(name),
                };
            },
        };
    }
}

function* readCommand(
    { name: container, path, spec }: Container,
    field: "args" | "command",
): Iterable<Place<PlainValue>> {
    const words: readonly unknown[] = spec[field] ?? [];
    for (const index of words.keys()) {
        yield {
            container,
            path: `${path}.${field}[${index}]`,
            read: () => {
                const text = toText(words[index]);
                // `--password x` consists of two arguments.
                const [, name] = /^--?([A-Za-z][\w.-]*)$/.exec(toText(words[index - 1])) ?? [];
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

function toText(value: unknown): string {
    return typeof value === "string" ? value : "";
}
