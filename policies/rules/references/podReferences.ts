import { ifKnown, asList, asJson, type Json } from "../../kubernetes/object.ts";
import type { Pod } from "../../kubernetes/pods.ts";

/** A reference to another object, with its full path. */
export interface ObjectReference {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly at: string;
    readonly container?: string;
    /** Referenced keys of a Secret or a ConfigMap. Default: none. */
    readonly keys?: readonly string[];
}

/** Lists the Secrets, ConfigMaps, claims and service account that a pod refers to. */
export function* listPodReferences(pod: Pod): Generator<ObjectReference> {
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
    for (const [at, { name }] of asList(spec.imagePullSecrets).entries()) {
        // The kubelet ignores an entry without a name.
        if (typeof name !== "string" || name === "") continue;
        yield {
            kind: "Secret",
            namespace,
            name,
            at: `${path}.imagePullSecrets[${at}]`,
        };
    }
    for (const volume of asList(spec.volumes))
        yield* readVolume(volume, namespace, `${path}.volumes`);
    for (const { name, path: at, spec: container } of [...pod.containers, ...pod.ephemeral]) {
        for (const one of readContainer(container as unknown as Json, namespace, at)) {
            yield { ...one, container: name };
        }
    }
}

function* readVolume(volume: Json, namespace: string, path: string): Generator<ObjectReference> {
    const at = `${path}[${String(volume.name)}]`;
    const sources = [volume, ...asList(asJson(volume.projected).sources)];
    for (const { secret, configMap } of sources) {
        yield* toReference(
            "Secret",
            asJson(secret),
            asJson(secret).secretName ?? asJson(secret).name,
            at,
        );
        yield* toReference("ConfigMap", asJson(configMap), asJson(configMap).name, at);
    }
    const claim = asJson(volume.persistentVolumeClaim);
    yield* toReference("PersistentVolumeClaim", claim, claim.claimName, at);

    function* toReference(kind: string, { optional, items }: Json, name: unknown, where: string) {
        if (typeof name !== "string" || optional === true) return;
        const keys = asList(items).map(({ key }) => String(key));
        yield { kind, namespace, name, at: where, keys };
    }
}

function* readContainer(
    container: Json,
    namespace: string,
    path: string,
): Generator<ObjectReference> {
    for (const [index, { name, valueFrom }] of asList(container.env).entries()) {
        const { secretKeyRef, configMapKeyRef } = asJson(valueFrom);
        const at = `${path}.env[${ifKnown(() => String(name)) ?? index}].valueFrom`;
        yield* toKeyReference("Secret", asJson(secretKeyRef), at);
        yield* toKeyReference("ConfigMap", asJson(configMapKeyRef), at);
    }
    for (const [index, { secretRef, configMapRef }] of asList(container.envFrom).entries()) {
        const at = `${path}.envFrom[${index}]`;
        yield* toKeyReference("Secret", asJson(secretRef), at);
        yield* toKeyReference("ConfigMap", asJson(configMapRef), at);
    }

    function* toKeyReference(
        kind: string,
        { name, key, optional }: Json,
        at: string,
    ): Generator<ObjectReference> {
        if (typeof name !== "string" || optional === true) return;
        yield { kind, namespace, name, at, keys: typeof key === "string" ? [key] : [] };
    }
}

/** Finds volumes that containers mount and that their pod does not define. */
export function* findUndefinedVolumes(
    pod: Pod,
): Generator<{ name: string; at: string; container: string }> {
    const { volumeClaimTemplates } = asJson(pod.object.body.spec);
    const claims = asList(volumeClaimTemplates).map(({ metadata }) => asJson(metadata).name);
    const volumes = [...(pod.spec.volumes ?? []).map(({ name }) => name as unknown), ...claims];
    for (const { name: container, path, spec } of [...pod.containers, ...pod.ephemeral]) {
        for (const { name } of [...(spec.volumeMounts ?? []), ...(spec.volumeDevices ?? [])]) {
            if (!volumes.includes(name))
                yield { name, at: `${path}.volumeMounts[${name}]`, container };
        }
    }
}
