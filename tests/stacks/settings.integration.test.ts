import { describe, expect, test } from "@jest/globals";
import { COLOURS, SERVICE_NAMES } from "@property-search/contract";
import type { Manifest } from "../../render.ts";
import { at } from "../support/program.ts";
import { render } from "../support/stacks.ts";

/* What one setting changes of a stack. */

describe("autoscaling.metric", () => {
    test.each([
        ["keda", "ScaledObject"],
        ["prometheus-adapter", "HorizontalPodAutoscaler"],
        ["none", "HorizontalPodAutoscaler"],
    ])("%s: each colour has one %s, and nothing else scales", async (metric, kind) => {
        const overrides = { "autoscaling.metric": metric };
        const { manifests } = await render({ stack: "dev", overrides });
        const scaling = manifests.filter(({ spec }) => at(spec, "scaleTargetRef") !== undefined);
        expect(scaling.map((one) => [one.kind, one.metadata.name])).toEqual(
            COLOURS.map((colour) => [kind, SERVICE_NAMES[colour]]),
        );
    });

    test("prometheus-adapter brings the adapter's rules, and nothing else does", async () => {
        const rules = async (metric: string) => {
            const { manifests } = await render({
                stack: "dev",
                overrides: { "autoscaling.metric": metric },
            });
            return manifests.filter(({ metadata }) => metadata.name === "prometheus-adapter-rules");
        };
        expect(await rules("prometheus-adapter")).toHaveLength(1);
        expect(await rules("keda")).toHaveLength(0);
        expect(await rules("none")).toHaveLength(0);
    });
});

describe("edge.retryFilter", () => {
    /** The stack without and with requests sent again. */
    async function bothOf(filter: string): Promise<[Manifest[], Manifest[]]> {
        const of = async (one: string) => {
            const controller = filter === "envoy-gateway" ? filter : "traefik";
            const overrides = { "edge.retryFilter": one, "edge.controller": controller };
            return [...(await render({ stack: "dev", overrides })).manifests];
        };
        return [await of("none"), await of(filter)];
    }

    const isRoute = ({ kind }: Manifest) => kind === "HTTPRoute";

    test.each([
        ["traefik", ["Middleware"]],
        ["envoy-gateway", ["BackendTrafficPolicy"]],
        ["gateway-api", []],
    ])("%s adds %j and fields of the route, and nothing else", async (filter, added) => {
        const [plain, retrying] = await bothOf(filter);
        const others = retrying.filter((one) => !isRoute(one));
        const known = plain.filter((one) => !isRoute(one)).map((one) => JSON.stringify(one));
        const more = others.filter((one) => !known.includes(JSON.stringify(one)));
        expect(more.map(({ kind }) => kind)).toEqual(added);
        expect(others).toHaveLength(known.length + added.length);
    });

    test("is none by default, and Traefik's in each of our stacks", async () => {
        const added = async (options: Parameters<typeof render>[0]) =>
            (await render(options)).manifests.filter(({ kind }) => kind === "Middleware").length;
        for (const stack of ["dev", "prod", "local"]) {
            expect([stack, await added({ stack })]).toEqual([stack, 1]);
        }
        const overrides = { "edge.retryFilter": "none" };
        expect(await added({ stack: "dev", overrides })).toBe(0);
    });
});

test("without monitoring and its autoscalers, what serves is the same to the letter", async () => {
    const overrides = { "monitoring.enabled": "false", "autoscaling.metric": "none" };
    const all = (await render({ stack: "local" })).manifests;
    const fewer = (await render({ stack: "local", overrides })).manifests;
    const serving = fewer.filter(({ kind }) => kind !== "HorizontalPodAutoscaler");
    expect(all).toEqual(expect.arrayContaining(serving));
    const watching = ["prometheus", "alertmanager", "kube-state-metrics", "redis-exporter"];
    const names = fewer.map(({ metadata: { name } }) => name);
    expect(watching.filter((name) => names.includes(name))).toEqual([]);
    expect(fewer.filter(({ kind }) => kind === "HorizontalPodAutoscaler")).toHaveLength(2);
});
