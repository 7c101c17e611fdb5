import { describe, expect, test } from "@jest/globals";
import { Redis, type RedisArgs } from "../../components/redis.ts";
import { redisConf, sha256 } from "../../components/redis/settings.ts";
import { Secret } from "../../render/program.ts";
import { at, declared } from "../support/program.ts";

const ARGS: RedisArgs = {
    namespace: "property-search-data",
    mode: "standalone",
    image: "redis:8.2.3-bookworm",
    nodeImage: "embedding-service:v1.0.0",
    memoryLimit: "1Gi",
    cpuRequest: "250m",
    storage: "2Gi",
    passwords: { app: "app-secret", exporter: "exporter-secret", admin: "admin-secret" },
};

const build = (change: Partial<RedisArgs> = {}) =>
    declared(() => new Redis("redis", { ...ARGS, ...change }));

describe("Redis", () => {
    test("standalone is one pod with a volume, and no Job", async () => {
        const all = await build();
        const { inputs } = all.one(":StatefulSet");
        expect(at(inputs, "spec", "replicas")).toBe(1);
        expect(at(inputs, "spec", "volumeClaimTemplates", 0, "spec")).toEqual({
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "2Gi" } },
        });
        expect(all.of(":Job")).toEqual([]);
        const containers = at(inputs, "spec", "template", "spec", "containers");
        expect(containers).toMatchObject([{ name: "redis" }, { name: "tend-node" }]);
    });

    test("a cluster is formed again on other volumes, which may be empty; its pods stay", async () => {
        const template = async (kind: string, args: Partial<RedisArgs> = {}) => {
            const { inputs } = (await build({ mode: "cluster", ...args })).one(kind);
            return at(inputs, "spec", "template");
        };
        const [job, pods] = [await template(":Job"), await template(":StatefulSet")];
        for (const change of [{ storage: "4Gi" }, { storageClass: "fast" }]) {
            expect(await template(":Job", change)).not.toEqual(job);
            expect(await template(":StatefulSet", change)).toEqual(pods);
        }
    });

    test("cluster is six pods that know themselves by name, and a Job that comes after them", async () => {
        const all = await build({ mode: "cluster", storageClass: "fast" });
        const { inputs } = all.one(":StatefulSet");
        expect(at(inputs, "spec", "replicas")).toBe(6);
        expect(at(inputs, "spec", "volumeClaimTemplates", 0, "spec", "storageClassName")).toBe(
            "fast",
        );
        const server = at(inputs, "spec", "template", "spec", "containers", 0);
        expect(at(server, "args")).toContain(
            "$(POD_NAME).redis-cluster-pods.property-search-data.svc.cluster.local",
        );
        const job = all.one(":Job");
        expect(at(all.one(":RedisFormation").options, "dependsOn")).toHaveLength(1);
        const nodes = at(
            job.inputs,
            ...["spec", "template", "spec", "containers", 0, "env", 0, "value"],
        );
        expect(String(nodes).split(" ")).toHaveLength(6);
    });

    test.each([
        [false, { whenUnsatisfiable: "ScheduleAnyway" }],
        [true, { whenUnsatisfiable: "DoNotSchedule", minDomains: 3 }],
    ])(
        "requireZones %s: its pods are spread over zones by %j",
        async (requireZones, constraint) => {
            const { inputs } = (await build({ mode: "cluster", requireZones })).one(":StatefulSet");
            const constraints = at(
                ...([inputs, "spec", "template", "spec", "topologySpreadConstraints"] as const),
            );
            expect(constraints).toContainEqual(
                expect.objectContaining({
                    topologyKey: "topology.kubernetes.io/zone",
                    maxSkew: 1,
                    ...constraint,
                }),
            );
        },
    );

    test("a cluster is formed on a deploy and repaired every five minutes, over its nodes' zones", async () => {
        const all = await build({ mode: "cluster" });
        const pods = [
            at(all.one(":Job").inputs, "spec", "template", "spec"),
            at(all.one(":CronJob").inputs, "spec", "jobTemplate", "spec", "template", "spec"),
        ];
        expect(at(all.one(":CronJob").inputs, "spec")).toMatchObject({
            schedule: "*/5 * * * *",
            concurrencyPolicy: "Forbid",
        });
        for (const pod of pods) {
            expect(pod).toMatchObject({
                serviceAccountName: "redis-cluster-formation",
                initContainers: [{ name: "find-zones", image: "embedding-service:v1.0.0" }],
                containers: [{ name: "form-cluster", image: "redis:8.2.3-bookworm" }],
            });
        }
        expect(at(all.one(":ClusterRole").inputs, "rules")).toEqual([
            { apiGroups: [""], resources: ["nodes"], verbs: ["get"] },
        ]);
        expect((await build()).of(":ClusterRole")).toEqual([]);
    });

    test("clients come by one Service, peers find each other before they are ready", async () => {
        const all = await build();
        expect(all.one(":Service", "redis-service").inputs).toMatchObject({
            metadata: { name: "redis-cluster", namespace: "property-search-data" },
            spec: { type: "ClusterIP", ports: [{ port: 6379 }] },
        });
        expect(at(all.one(":Service", "redis-pods").inputs, "spec")).toMatchObject({
            clusterIP: "None",
            publishNotReadyAddresses: true,
        });
    });

    test("passwords are in one Secret, which is secret, and nowhere else", async () => {
        const all = await build({ mode: "cluster" });
        expect(all.one(":Secret").inputs.stringData).toBeInstanceOf(Secret);
        const others = all.all.filter(
            ({ type }) => type.startsWith("kubernetes:") && !type.endsWith(":Secret"),
        );
        for (const password of ["app-secret", "exporter-secret", "admin-secret"]) {
            expect(JSON.stringify(others.map(({ inputs }) => inputs))).not.toContain(password);
        }
    });

    test("another configuration replaces the pods, other passwords do not", async () => {
        const checksum = async (args: Partial<RedisArgs> = {}) =>
            at(
                (await build(args)).one(":StatefulSet").inputs,
                ...["spec", "template", "metadata", "annotations", "checksum/config"],
            );
        const before = await checksum();
        expect(before).toMatch(/^[0-9a-f]{64}$/);
        expect(await checksum({ memoryLimit: "2Gi" })).not.toBe(before);
        expect(await checksum({ passwords: { ...ARGS.passwords, app: "another" } })).toBe(before);
    });

    test("a user has every password that is accepted", async () => {
        const hash = (password: string) => `#${sha256(password)}`;
        const all = await build({
            otherPasswords: { app: ["next"], exporter: [], admin: ["previous"] },
        });
        const users = String(at(all.one(":Secret").inputs, "stringData", "users.acl"));
        expect(users).toContain(`user app on ${hash("app-secret")} ${hash("next")} ~`);
        expect(users).toContain(`user exporter on ${hash("exporter-secret")} -@all`);
        expect(users).toContain(`user admin on ${hash("admin-secret")} ${hash("previous")} ~`);
    });

    test("no probe has a secret on its command line", async () => {
        const server = at(
            (await build()).one(":StatefulSet").inputs,
            ...["spec", "template", "spec", "containers", 0],
        );
        const command = at(server, "readinessProbe", "exec", "command");
        expect(command).toEqual([
            ...[
                "redis-cli",
                "-e",
                "--no-auth-warning",
                "--user",
                "health",
                "--pass",
                "none",
                "ping",
            ],
        ]);
        expect(at(server, "livenessProbe")).toHaveProperty("tcpSocket");
    });

    test("one pod at a time may be evicted", async () => {
        expect(at((await build()).one(":PodDisruptionBudget").inputs, "spec")).toMatchObject({
            maxUnavailable: 1,
            unhealthyPodEvictionPolicy: "AlwaysAllow",
        });
    });
});

describe("redisConf", () => {
    test("leaves a quarter of the memory to what is not data", () => {
        expect(redisConf({ memoryLimit: "1Gi", clustered: false })).toContain(
            `\nmaxmemory ${768 * 1024 ** 2}\nmaxmemory-policy allkeys-lfu\n`,
        );
    });

    test("knows nothing of a cluster where there is none", () => {
        expect(redisConf({ memoryLimit: "1Gi", clustered: false })).not.toContain("cluster");
    });
});
