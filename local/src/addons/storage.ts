import { stringify } from "yaml";
import { NODE_NAME, VOLUMES } from "../node/configuration.ts";

/** The class `local`, whose volumes come from kind's own provisioner. */
export function provisionerStorage(): string {
    return stringify(storageClass("rancher.io/local-path"));
}

/** Volumes of the class `local`: folders on the node, which the kubelet gives to a pod's group. */
export function hostPathStorage(): string {
    const volumes = VOLUMES.map((folder, index) => ({
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: `local-${index}` },
        spec: {
            storageClassName: "local",
            capacity: { storage: "10Gi" },
            accessModes: ["ReadWriteOnce"],
            persistentVolumeReclaimPolicy: "Retain",
            local: { path: folder },
            nodeAffinity: {
                required: {
                    nodeSelectorTerms: [
                        {
                            matchExpressions: [
                                {
                                    key: "kubernetes.io/hostname",
                                    operator: "In",
                                    values: [NODE_NAME],
                                },
                            ],
                        },
                    ],
                },
            },
        },
    }));
    return [storageClass("kubernetes.io/no-provisioner"), ...volumes]
        .map((object) => stringify(object))
        .join("---\n");
}

function storageClass(provisioner: string): object {
    return {
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "local" },
        provisioner,
        volumeBindingMode: "WaitForFirstConsumer",
    };
}
