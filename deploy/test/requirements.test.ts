import { describe, expect, test } from "@jest/globals";
import { hasDefault, requirementsOf } from "../src/apply/requirements.ts";
import type { Manifest } from "../src/apply/cluster.ts";

const gateway = (gatewayClassName: string) =>
    ({
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        metadata: { name: "gateway", namespace: "edge" },
        spec: { gatewayClassName },
    }) as Manifest;

const statefulSet = (...classes: (string | undefined)[]) =>
    ({
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "redis", namespace: "data" },
        spec: {
            volumeClaimTemplates: classes.map((name) => ({
                spec: name === undefined ? {} : { storageClassName: name },
            })),
        },
    }) as Manifest;

const whatOf = (manifests: Manifest[]) => requirementsOf(manifests).map(({ what }) => what);

describe("requirementsOf", () => {
    test("asks for the Gateway API and the class that the Gateway names", () => {
        expect(whatOf([gateway("traefik")])).toEqual(["the Gateway API", "GatewayClass traefik"]);
    });

    test("asks for the class of a volume, or for a default one where none is named", () => {
        expect(whatOf([statefulSet("local")])).toEqual(["StorageClass local"]);
        expect(whatOf([statefulSet(undefined)])).toEqual(["a default StorageClass"]);
    });

    test("asks for KEDA where a ScaledObject wants it", () => {
        const scaled = {
            apiVersion: "keda.sh/v1alpha1",
            kind: "ScaledObject",
            metadata: { name: "s", namespace: "n" },
        };
        expect(whatOf([scaled, scaled])).toEqual(["KEDA"]);
    });

    test.each([
        ["traefik.io/v1alpha1", "Middleware", "Traefik's Middleware"],
        [
            "gateway.envoyproxy.io/v1alpha1",
            "BackendTrafficPolicy",
            "Envoy Gateway's BackendTrafficPolicy",
        ],
    ])("asks for what serves %s %s, and tells how to do without", (apiVersion, kind, what) => {
        const retrying = { apiVersion, kind, metadata: { name: "r", namespace: "edge" } };
        const [requirement, ...others] = requirementsOf([retrying]);
        expect(requirement).toMatchObject({ what, apiVersion, kind });
        expect(requirement?.how).toContain("set edge.retryFilter");
        expect(others).toEqual([]);
    });

    test("names each requirement once", () => {
        expect(whatOf([statefulSet("local", "local"), statefulSet("local")])).toHaveLength(1);
    });

    test("asks for nothing where neither is used", () => {
        const service = { apiVersion: "v1", kind: "Service", metadata: { name: "s" } };
        expect(whatOf([service, statefulSet()])).toEqual([]);
    });

    test("says of each how to get it", () => {
        for (const { how } of requirementsOf([gateway("x"), statefulSet("y", undefined)])) {
            expect(how).not.toBe("");
        }
    });
});

describe("hasDefault", () => {
    const listOf = (annotations?: Record<string, string>) => ({
        items: [{ metadata: { name: "a", ...(annotations && { annotations }) } }],
    });

    test("finds the class marked as the default", () => {
        expect(hasDefault(listOf({ "storageclass.kubernetes.io/is-default-class": "true" }))).toBe(
            true,
        );
    });

    test("finds none where the mark is absent or false", () => {
        expect(hasDefault({ items: [] })).toBe(false);
        expect(hasDefault(listOf())).toBe(false);
        expect(hasDefault(listOf({ "storageclass.kubernetes.io/is-default-class": "false" }))).toBe(
            false,
        );
    });
});
