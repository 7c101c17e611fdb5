import { describe, expect, test } from "@jest/globals";
import type { Cluster, Manifest } from "../../../cluster/connect.ts";
import { findClassProblem } from "../../../deploy/apply/gatewayClasses.ts";
import { ApiError } from "../../../cluster/objects.ts";
import {
    hasDefaultClass,
    checkRequirements,
    requirementsOf,
} from "../../../deploy/apply/requirements.ts";

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

const whatOf = (manifests: Manifest[]) => requirementsOf(manifests).map(({ title }) => title);

describe("requirementsOf", () => {
    test("requires the Gateway API and the Gateway's class", () => {
        expect(whatOf([gateway("traefik")])).toEqual(["the Gateway API", "GatewayClass traefik"]);
    });

    test("requires the class of a volume, or a default one", () => {
        expect(whatOf([statefulSet("local")])).toEqual(["StorageClass local"]);
        expect(whatOf([statefulSet(undefined)])).toEqual(["a default StorageClass"]);
    });

    test("requires the priority class of pods of a Deployment or a CronJob", () => {
        const spec = { priorityClassName: "platform" };
        const metadata = { name: "w", namespace: "n" };
        const workloads = [
            { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { template: { spec } } },
            {
                ...{ apiVersion: "batch/v1", kind: "CronJob", metadata },
                spec: { jobTemplate: { spec: { template: { spec } } } },
            },
        ] as unknown as Manifest[];
        expect(whatOf(workloads)).toEqual(["PriorityClass platform"]);
        const set = statefulSet("local");
        Object.assign(set, { spec: { ...(set as { spec?: object }).spec, template: { spec } } });
        expect(whatOf([set]).sort()).toEqual(["PriorityClass platform", "StorageClass local"]);
    });

    test("requires KEDA for a ScaledObject", () => {
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
    ])(
        "requires a provider of %s %s, and the remedy has an alternative",
        (apiVersion, kind, title) => {
            const retrying = { apiVersion, kind, metadata: { name: "r", namespace: "edge" } };
            const [requirement, ...others] = requirementsOf([retrying]);
            expect(requirement).toMatchObject({ title, apiVersion, kind });
            expect(requirement?.remedy).toContain("set edge.retryFilter");
            expect(others).toEqual([]);
        },
    );

    test("requires each API that an older cluster may lack", () => {
        const policy = {
            apiVersion: "admissionregistration.k8s.io/v1",
            kind: "ValidatingAdmissionPolicy",
            metadata: { name: "p" },
        };
        const route = {
            apiVersion: "gateway.networking.k8s.io/v1",
            kind: "HTTPRoute",
            metadata: { name: "r", namespace: "edge" },
        };
        expect(
            requirementsOf([policy, route]).map(({ title, remedy }) => `${title}: ${remedy}`),
        ).toEqual([
            expect.stringMatching(
                /^admissionregistration\.k8s\.io\/v1 ValidatingAdmissionPolicy: enable/,
            ),
            expect.stringMatching(/^gateway\.networking\.k8s\.io\/v1 HTTPRoute: install/),
        ]);
    });

    test("has no duplicates", () => {
        expect(whatOf([statefulSet("local", "local"), statefulSet("local")])).toHaveLength(1);
    });

    test("is empty if nothing is used", () => {
        const service = { apiVersion: "v1", kind: "Service", metadata: { name: "s" } };
        expect(whatOf([service, statefulSet()])).toEqual([]);
    });

    test("has a remedy for each", () => {
        for (const { remedy } of requirementsOf([gateway("x"), statefulSet("y", undefined)])) {
            expect(remedy).not.toBe("");
        }
    });
});

describe("hasDefault", () => {
    const listOf = (annotations?: Record<string, string>) => ({
        items: [{ metadata: { name: "a", ...(annotations && { annotations }) } }],
    });

    test("finds the class marked as the default", () => {
        expect(
            hasDefaultClass(listOf({ "storageclass.kubernetes.io/is-default-class": "true" })),
        ).toBe(true);
    });

    test("finds none without a true annotation", () => {
        expect(hasDefaultClass({ items: [] })).toBe(false);
        expect(hasDefaultClass(listOf())).toBe(false);
        expect(
            hasDefaultClass(listOf({ "storageclass.kubernetes.io/is-default-class": "false" })),
        ).toBe(false);
    });
});

describe("requireAll", () => {
    /** A cluster with these kinds, each once, and this minor version. */
    function clusterOf(
        minor: string,
        objects: Readonly<Record<string, readonly object[]>>,
    ): Cluster {
        const api = {
            get: () => Promise.resolve({ major: "1", minor }),
            isServed: (_: string, kind: string) => Promise.resolve(kind in objects),
            list: (_: string, kind: string) => Promise.resolve({ items: objects[kind] ?? [] }),
            read: ({ kind, name }: { kind: string; name: string }) => {
                const found = (objects[kind] as Manifest[] | undefined)?.find(
                    ({ metadata }) => metadata.name === name,
                );
                return found ? Promise.resolve(found) : Promise.reject(new ApiError(404, "{}"));
            },
        };
        return { context: "c", objects: api } as unknown as Cluster;
    }

    const gatewayClass = {
        metadata: { name: "traefik" },
        spec: { controllerName: "traefik.io/gateway-controller" },
    };
    const traefik = (...args: string[]) => ({
        metadata: { name: "traefik" },
        spec: { template: { spec: { containers: [{ name: "traefik", args }] } } },
    });
    const listening = (port: number) => {
        const spec = { gatewayClassName: "traefik", listeners: [{ name: "http", port }] };
        return { ...gateway("traefik"), spec } as Manifest;
    };
    const CHART = [
        "--entryPoints.web.address=:8000/tcp",
        "--entryPoints.websecure.address=:8443/tcp",
        "--providers.kubernetesgateway",
    ];

    test("reports everything that is missing at once", async () => {
        const manifests = [
            gateway("traefik"),
            { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: { name: "s" } },
            { apiVersion: "cert-manager.io/v1", kind: "Issuer", metadata: { name: "i" } },
        ];
        const error: unknown = await checkRequirements(clusterOf("29+", {}), manifests).catch(
            (reason: unknown) => reason,
        );
        const lines = String(error).split("\n  - ").slice(1);
        expect(lines.map((line) => line.split(":")[0])).toEqual([
            "Kubernetes 1.31 or newer",
            "the Gateway API",
            "GatewayClass traefik",
            "KEDA",
            "cert-manager",
        ]);
    });

    const definition = (name: string, metadata: object) => ({ metadata: { name, ...metadata } });
    const released = (key: string, version: string) => ({ labels: { [key]: version } });

    test.each([
        [
            gateway("traefik"),
            definition("httproutes.gateway.networking.k8s.io", {
                annotations: { "gateway.networking.k8s.io/bundle-version": "v1.4.1" },
            }),
            /the Gateway API: the cluster has v1\.4\.1; install its definitions, version 1\.5/,
        ],
        [
            { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: { name: "s" } },
            definition("scaledobjects.keda.sh", released("app.kubernetes.io/version", "2.9.0")),
            /KEDA: the cluster has 2\.9\.0; install version 2\.17 or newer/,
        ],
        [
            { apiVersion: "cert-manager.io/v1", kind: "Issuer", metadata: { name: "i" } },
            definition(
                "certificates.cert-manager.io",
                released("app.kubernetes.io/version", "v1.9.1"),
            ),
            /cert-manager: the cluster has v1\.9\.1; install version 1\.15 or newer/,
        ],
    ])("reports outdated definitions: %#", async (manifest, old, words) => {
        const withDefinition = (CustomResourceDefinition: object) =>
            clusterOf("34", {
                ...{ GatewayClass: [gatewayClass], Deployment: [] },
                ...{ [manifest.kind]: [], CustomResourceDefinition: [CustomResourceDefinition] },
            });
        await expect(checkRequirements(withDefinition(old), [manifest])).rejects.toThrow(words);
        for (const version of ["v1.15.0", "2.17", "v3.0.0-rc.1", "latest"]) {
            const newer = JSON.parse(
                JSON.stringify(old).replace(/"v?\d+\.\d+\.\d+"/, JSON.stringify(version)),
            ) as object;
            if (version === "v1.15.0" && manifest.kind === "ScaledObject") continue;
            await checkRequirements(withDefinition(newer), [manifest]);
        }
        await checkRequirements(withDefinition(definition("another", {})), [manifest]);
    });

    test("accepts definitions that it cannot read", async () => {
        const scaled = {
            apiVersion: "keda.sh/v1alpha1",
            kind: "ScaledObject",
            metadata: { name: "s" },
        };
        const cluster = clusterOf("34", { ScaledObject: [] });
        Object.assign(cluster.objects, {
            read: () => Promise.reject(new ApiError(403, "{}")),
        });
        await checkRequirements(cluster, [scaled]);
    });

    test("reports a Gateway API without retry if a route uses it", async () => {
        const routeWith = (rule: object) =>
            ({
                apiVersion: "gateway.networking.k8s.io/v1",
                kind: "HTTPRoute",
                metadata: { name: "r", namespace: "edge" },
                spec: { rules: [rule] },
            }) as Manifest;
        const servedWith = (fields: object) => {
            const name = "httproutes.gateway.networking.k8s.io";
            const spec = { versions: [{ name: "v1", schema: { properties: fields } }] };
            const CustomResourceDefinition = [{ metadata: { name }, spec }];
            return clusterOf("34", { HTTPRoute: [], CustomResourceDefinition });
        };
        const retrying = routeWith({ retry: { attempts: 2 } });
        await expect(checkRequirements(servedWith({ matches: {} }), [retrying])).rejects.toThrow(
            /HTTPRoute's retry: install the Gateway API's experimental channel, or set edge\.retryFilter/,
        );
        await checkRequirements(servedWith({ retry: {} }), [retrying]);
        await checkRequirements(servedWith({ matches: {} }), [routeWith({})]);
        await checkRequirements(clusterOf("34", { HTTPRoute: [] }), [retrying]);
    });

    const withAccepted = (...conditions: object[]) =>
        clusterOf("34", {
            GatewayClass: [{ ...gatewayClass, status: { conditions } }],
            Deployment: [],
        });
    const accepted = (status: string, reason: string, message: string) => ({
        ...{ type: "Accepted", status, reason, message },
    });

    test("reports a GatewayClass that its controller rejects", async () => {
        const rejected = accepted("False", "UnsupportedVersion", "the bundle is too old");
        await expect(
            checkRequirements(withAccepted(rejected), [gateway("traefik")]),
        ).rejects.toThrow(
            "GatewayClass traefik: traefik.io/gateway-controller rejects it (UnsupportedVersion: the bundle is too old); install a gateway",
        );
        await checkRequirements(withAccepted(accepted("True", "Accepted", "")), [
            gateway("traefik"),
        ]);
        await checkRequirements(withAccepted(), [gateway("traefik")]);
    });

    test("waits for a controller to accept its class, and reports a class that none accepts", async () => {
        const waiting = accepted("Unknown", "Pending", "Waiting for controller");
        const version = "gateway.networking.k8s.io/v1";
        expect(await findClassProblem(withAccepted(waiting), version, "traefik", 1)).toBe(
            "no controller traefik.io/gateway-controller has accepted it (Pending: Waiting for controller)",
        );
        const starting = withAccepted(waiting);
        setTimeout(() => {
            Object.assign(waiting, accepted("True", "Accepted", ""));
        }, 100);
        expect(await findClassProblem(starting, version, "traefik")).toBeUndefined();
    });

    test("does not require a cert-manager that the stack installs", async () => {
        const issuer = {
            apiVersion: "cert-manager.io/v1",
            kind: "Issuer",
            metadata: { name: "i" },
        };
        const brings = ["kubernetes-cert-manager:index:CertManager"];
        await checkRequirements(clusterOf("34", {}), [issuer], brings);
        await expect(checkRequirements(clusterOf("34", {}), [issuer])).rejects.toThrow(
            "cert-manager",
        );
    });

    test("reports pods with fixed ids on OpenShift", async () => {
        const pods = (securityContext: object) =>
            ({
                ...{ apiVersion: "apps/v1", kind: "Deployment" },
                metadata: { name: "d", namespace: "n" },
                spec: { template: { spec: { securityContext } } },
            }) as Manifest;
        const fixed = pods({ runAsNonRoot: true, runAsUser: 10001 });
        const openShift = clusterOf("34", { SecurityContextConstraints: [] });
        await expect(checkRequirements(openShift, [fixed])).rejects.toThrow(
            "pods without fixed ids: set workloads.fixedIds to false",
        );
        await checkRequirements(openShift, [pods({ runAsNonRoot: true })]);
        await checkRequirements(clusterOf("34", {}), [fixed]);
    });

    test("requires an entry point of Traefik at each listener's port", async () => {
        const cluster = clusterOf("34", {
            GatewayClass: [gatewayClass],
            Deployment: [traefik(...CHART)],
        });
        await checkRequirements(cluster, [listening(8000)]);
        await expect(checkRequirements(cluster, [listening(80)])).rejects.toThrow(
            /listener http of Gateway gateway at port 80: Traefik has 8000 \(web\), 8443 \(websecure\)/,
        );
    });

    test("accepts what it cannot check: another controller, entry points from elsewhere", async () => {
        const other = { ...gatewayClass, spec: { controllerName: "example.com/other" } };
        const Deployment = [traefik(...CHART)];
        await checkRequirements(clusterOf("34", { GatewayClass: [other], Deployment }), [
            listening(80),
        ]);
        const cluster = clusterOf("34", { GatewayClass: [gatewayClass], Deployment: [] });
        await checkRequirements(cluster, [listening(80)]);
    });
});
