import { beforeAll, describe, expect, test } from "@jest/globals";
import type { V1Deployment, V1Secret } from "@kubernetes/client-node";
import {
    EXAMPLE_NAME,
    EXAMPLE_NAMESPACE,
    EXAMPLE_SECRET,
    JOBS,
    PORTS,
} from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { forwardPort } from "../../operations/cluster/forward.ts";
import { findTarget } from "../../operations/cluster/forwardedService.ts";
import { createSend } from "../../operations/gateway/connection.ts";
import { findGateway } from "../../operations/gateway/endpoint.ts";
import { openPrometheus } from "../support/prometheus.ts";
import { eventually, openCluster } from "../support/cluster.ts";

const cluster = openCluster();
const namespace = EXAMPLE_NAMESPACE;

interface Property {
    readonly id: string;
    readonly area: string;
}

let call: (path: string, body?: unknown) => Promise<Response>;

beforeAll(async () => {
    const gateway = await findGateway(cluster);
    const send = createSend(gateway);
    call = (path, body) =>
        send(
            `${gateway.url}${path}`,
            body === undefined
                ? {}
                : {
                      method: "POST",
                      headers: { "content-type": "application/json" },
                      body: JSON.stringify(body),
                  },
        );
});

describe("the example behind the Gateway", () => {
    test("serves its page and its API alone", async () => {
        const page = await call("/");
        expect([page.status, page.headers.get("content-type")]).toEqual([
            200,
            "text/html; charset=utf-8",
        ]);
        expect(await page.text()).toContain("Homes in London");
        for (const path of ["/healthz", "/readyz", "/metrics"]) {
            const { status } = await call(path);
            expect([path, status]).toEqual([path, 404]);
        }
    });

    test("finds points of interest near a listing; the second call's embedding is a hit", async () => {
        const { properties } = (await (await call("/api/properties?limit=1")).json()) as {
            properties: Property[];
        };
        const path = `/api/properties/${properties[0]?.id ?? ""}/pois`;
        const body = { query: `a quiet park, ${randomUUID()}`, radiusMetres: 3_000 };
        const first = await call(path, body);
        expect([first.status, first.headers.get("x-cache")]).toEqual([200, "MISS"]);
        const second = await call(path, body);
        expect(second.headers.get("x-cache")).toMatch(/^HIT-/);
        const { pois } = (await second.json()) as { pois: unknown[] };
        expect(pois).toHaveLength(10);
    });

    test("answers a chat from listings, with the session's constraints", async () => {
        const sessionId = randomUUID();
        const say = async (message: string) =>
            (await (await call("/api/chat", { message, sessionId })).json()) as {
                answer: string;
                properties: Property[];
            };
        await say("a two-bedroom flat with a garden in Hackney");
        const { answer, properties } = await say("what about Peckham?");
        expect(answer).toContain("2 bedrooms, in Peckham");
        expect(new Set(properties.map(({ area }) => area))).toEqual(new Set(["Peckham"]));
    });

    test("has its key of the service from a Secret", async () => {
        const deployment = await cluster.objects.read<V1Deployment>({
            ...{ apiVersion: "apps/v1", kind: "Deployment", namespace, name: EXAMPLE_NAME },
        });
        const secret = await cluster.objects.read<V1Secret>({
            ...{ apiVersion: "v1", kind: "Secret", namespace, name: EXAMPLE_SECRET.name },
        });
        const data = secret.data?.[EXAMPLE_SECRET.embeddingApiKey] ?? "";
        const key = Buffer.from(data, "base64").toString();
        expect(key.length).toBeGreaterThan(15);
        expect(JSON.stringify(deployment)).not.toContain(key);
    });

    test("reaches the service as a client of the Gateway, and is scraped", async () => {
        const target = await findTarget(cluster, {
            namespace,
            name: EXAMPLE_NAME,
            port: PORTS.example,
        });
        const forward = await forwardPort(cluster, target);
        try {
            const text = await (await fetch(`${forward.url}/metrics`)).text();
            expect(text).toMatch(/embedding_calls_total{purpose="pois",outcome="HIT-L[12]"} [1-9]/);
        } finally {
            await forward.close();
        }
        const prometheus = openPrometheus(cluster);
        await eventually("Prometheus scrapes it", async () => {
            const result = await prometheus.query(`up{job="${JOBS.example}"}`);
            return result.length === 1 && result[0]?.value === 1;
        });
    });
});
