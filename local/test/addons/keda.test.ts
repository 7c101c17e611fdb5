import { describe, expect, test } from "@jest/globals";
import { parseAllDocuments, stringify } from "yaml";
import { kedaManifests } from "../../src/addons/keda.ts";

const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata:
  name: keda # as it came
`;

/** As kustomize writes it: one key of the object a line at least. */
function deployment(name: string, ...containers: object[]): string {
    return stringify({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name, namespace: "keda" },
        spec: { replicas: 1, template: { spec: { containers } } },
    });
}

const container = {
    name: "main",
    image: "ghcr.io/kedacore/keda:main",
    imagePullPolicy: "Always",
    resources: { requests: { cpu: "100m" } },
    args: ["--leader-elect"],
};

const local = (name: string) => `localhost/${name}:v1`;

const objects = (manifests: string) =>
    parseAllDocuments(manifests).map((document) => document.toJS() as unknown);

describe("KEDA's manifests for a local cluster", () => {
    const manifests = [
        NAMESPACE,
        deployment("keda-operator", container),
        deployment("keda-metrics-apiserver", container),
    ].join("---\n");

    test("run existing images without pulling them", () => {
        const adapted = kedaManifests(manifests, local);
        expect(objects(adapted).slice(1)).toMatchObject(
            [
                ["keda-operator", "localhost/keda:v1"],
                ["keda-metrics-apiserver", "localhost/keda-adapter:v1"],
            ].map(([name, image]) => ({
                kind: "Deployment",
                metadata: { name, namespace: "keda" },
                spec: {
                    replicas: 1,
                    template: {
                        spec: {
                            containers: [
                                {
                                    image,
                                    imagePullPolicy: "IfNotPresent",
                                    args: ["--leader-elect"],
                                    resources: { requests: { cpu: "20m", memory: "64Mi" } },
                                },
                            ],
                        },
                    },
                },
            })),
        );
    });

    test("leave every other object as it came", () => {
        expect(kedaManifests(manifests, local).startsWith(`${NAMESPACE}---\n`)).toBe(true);
    });

    test.each([
        ["another Deployment", deployment("keda-admission", container)],
        ["one more container", deployment("keda-operator", container, container)],
        ["no container", deployment("keda-operator")],
    ])("are rejected with %s, which would run a missing image", (_, changed) => {
        expect(() => kedaManifests(changed, local)).toThrow("that is not the one known here");
    });
});
