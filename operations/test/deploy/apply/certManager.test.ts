import { expect, test } from "@jest/globals";
import { assertNoOtherCertManager } from "../../../deploy/apply/certManager.ts";
import type { Cluster, Manifest, ObjectReference } from "../../../cluster/connect.ts";

const REFERENCE: ObjectReference = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    name: "certificates.cert-manager.io",
};
const { apiVersion, kind, name } = REFERENCE;
const DEFINITION: Manifest = { apiVersion, kind, metadata: { name } };

function refuse(exists: boolean, manifests: Manifest[], inventory: ObjectReference[]) {
    const missing = Object.assign(new Error("not found"), { code: 404 });
    const read = () => (exists ? Promise.resolve(DEFINITION) : Promise.reject(missing));
    const cluster = { context: "theirs", objects: { read } } as unknown as Cluster;
    return assertNoOtherCertManager(cluster, manifests, { inventory });
}

test("an existing cert-manager of the cluster is rejected", async () => {
    await expect(refuse(true, [DEFINITION], [])).rejects.toThrow(
        /certManager is "install", and cluster theirs already has a cert-manager.*allowed: existing/,
    );
});

test("the stack's own is redeployed, a first one is installed, and other stacks are not checked", async () => {
    await expect(refuse(true, [DEFINITION], [REFERENCE])).resolves.toBeUndefined();
    await expect(refuse(false, [DEFINITION], [])).resolves.toBeUndefined();
    await expect(refuse(true, [], [])).resolves.toBeUndefined();
});
