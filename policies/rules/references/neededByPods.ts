import { known, list, json, type Json } from "../../kubernetes/object.ts";
import type { Pod } from "../../kubernetes/pods.ts";

/** A reference to another object, with its full path. */
export interface Needed {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly at: string;
    readonly container?: string;
    /** Referenced keys of a Secret or a ConfigMap. Default: none. */
    readonly keys?: readonly string[];
}

/** Lists the Secrets, ConfigMaps, claims and service account that a pod refers to. */
export function* neededByPods(pod: Pod): Generator<Needed> {
    const { object, path } = pod;
    const { namespace } = object;
    const spec = pod.spec as unknown as Json;
    const account = spec.serviceAccountName ?? spec.serviceAccount;
    if (typeof account === "string" && account !== "") {
        yield {
            kind: "ServiceAccount",
            namespace,
            name: account,
            at: `${path}.serviceAccountName`,
        };
    }
    for (const [at, { name }] of list(spec.imagePullSecrets).entries()) {
        // The kubelet ignores an entry without a name.
        if (typeof name !== "string" || name === "") continue;
        yield {
            kind: "Secret",
            namespace,
            name,
            at: `${path}.imagePullSecrets[${at}]`,
        };
    }
    for (const volume of list(spec.volumes)) yield* ofVolume(volume, namespace, `${path}.volumes`);
    for (const { name, path: at, spec: container } of [...pod.containers, ...pod.ephemeral]) {
        for (const one of ofContainer(container as unknown as Json, namespace, at)) {
            yield { ...one, container: name };
        }
    }
}

function* ofVolume(volume: Json, namespace: string, path: string): Generator<Needed> {
    const at = `${path}[${String(volume.name)}]`;
    const sources = [volume, ...list(json(volume.projected).sources)];
    for (const { secret, configMap } of sources) {
        yield* named("Secret", json(secret), json(secret).secretName ?? json(secret).name, at);
        yield* named("ConfigMap", json(configMap), json(configMap).name, at);
    }
    const claim = json(volume.persistentVolumeClaim);
    yield* named("PersistentVolumeClaim", claim, claim.claimName, at);

    function* named(kind: string, { optional, items }: Json, name: unknown, where: string) {
        if (typeof name !== "string" || optional === true) return;
        const keys = list(items).map(({ key }) => String(key));
        yield { kind, namespace, name, at: where, keys };
    }
}

function* ofContainer(container: Json, namespace: string, path: string): Generator<Needed> {
    for (const [index, { name, valueFrom }] of list(container.env).entries()) {
        const { secretKeyRef, configMapKeyRef } = json(valueFrom);
        const at = `${path}.env[${known(() => String(name)) ?? index}].valueFrom`;
        yield* keyOf("Secret", json(secretKeyRef), at);
        yield* keyOf("ConfigMap", json(configMapKeyRef), at);
    }
    for (const [index, { secretRef, configMapRef }] of list(container.envFrom).entries()) {
        const at = `${path}.envFrom[${index}]`;
        yield* keyOf("Secret", json(secretRef), at);
        yield* keyOf("ConfigMap", json(configMapRef), at);
    }

    function* keyOf(kind: string, { name, key, optional }: Json, at: string): Generator<Needed> {
        if (typeof name !== "string" || optional === true) return;
        yield { kind, namespace, name, at, keys: typeof key === "string" ? [key] : [] };
    }
}

/** Finds volumes that containers mount and that their pod does not define. */
export function* unmounted(pod: Pod): Generator<{ name: string; at: string; container: string }> {
    const { volumeClaimTemplates } = json(pod.object.body.spec);
    const claims = list(volumeClaimTemplates).map(({ metadata }) => json(metadata).name);
    const volumes = [...(pod.spec.volumes ?? []).map(({ name }) => name as unknown), ...claims];
    for (const { name: container, path, spec } of [...pod.containers, ...pod.ephemeral]) {
        for (const { name } of [...(spec.volumeMounts ?? []), ...(spec.volumeDevices ?? [])]) {
            if (!volumes.includes(name))
                yield { name, at: `${path}.volumeMounts[${name}]`, container };
        }
    }
}
