import { PatchStrategy, type KubernetesObject } from "@kubernetes/client-node";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { LABELS, NAMESPACES, PART_OF } from "@property-search/contract";
import { configsOf, type RuleConfig } from "../../policies/core/config.ts";
import { evaluate } from "../../policies/core/evaluate.ts";
import { headline } from "../../policies/core/message.ts";
import { objectsOf, type Json } from "../../policies/core/object.ts";
import { podOf } from "../../policies/core/pods.ts";
import type { Rule } from "../../policies/core/rule.ts";
import { FAULTS, mutantsOf } from "../../policies/faults/index.ts";
import { RULES } from "../../policies/rules/index.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { openCluster, podsOf } from "../support/cluster.ts";

const cluster = openCluster();
const rules: ReadonlyMap<Rule, RuleConfig> = new Map(
    [...configsOf(RULES, policiesOf("local"))].filter(([rule, { level }]) => {
        return rule.admission !== undefined && level === "mandatory";
    }),
);

/** What the rules that are enforced say of an object. */
function saidOf(object: Json): string[] {
    return [...rules].flatMap(([rule, config]) =>
        evaluate(rule, config, objectsOf(object)).violations.map(headline),
    );
}

/** Why the API server refuses to create it, or nothing; nothing is created. */
async function refusal(object: Json): Promise<string> {
    try {
        await cluster.objects.create(object as KubernetesObject, undefined, "All");
        return "";
    } catch (error) {
        return (JSON.parse((error as { body: string }).body) as { message: string }).message;
    }
}

describe("the API server, whoever asks it", () => {
    let workloads: Json[];

    beforeAll(async () => {
        const lists = await Promise.all(
            ["Deployment", "StatefulSet"].map((kind) =>
                cluster.objects.list<KubernetesObject>(
                    "apps/v1",
                    kind,
                    undefined,
                    undefined,
                    undefined,
                    undefined,
                    undefined,
                    `${LABELS.partOf}=${PART_OF}`,
                ),
            ),
        );
        workloads = lists.flatMap(({ items, kind = "" }) =>
            items.map((item) =>
                asNew({ ...item, apiVersion: "apps/v1", kind: kind.replace(/List$/, "") }),
            ),
        );
        expect(workloads.length).toBeGreaterThanOrEqual(6);
    });

    test("takes what is deployed", async () => {
        for (const workload of workloads) expect(await refusal(workload)).toBe("");
    });

    test("refuses each fault that a rule finds by CEL too, in the same words", async () => {
        const faults = FAULTS.filter(({ rule }) =>
            [...rules.keys()].some(({ name }) => name === rule),
        );
        const wrong: string[] = [];
        let refused = 0;
        for (const { name, changed, claimedBy } of mutantsOf(faults, workloads)) {
            const said = saidOf(changed);
            const answer = await refusal(changed);
            // What no API server could store is refused before any policy is asked.
            if (
                / is invalid: |cannot be handled as|strict decoding/.test(answer) &&
                !answer.includes("denied request")
            )
                continue;
            if (said.length === 0 && answer === "") continue;
            if (said.some((words) => answer.includes(`denied request: `) && answer.includes(words)))
                refused += 1;
            else
                wrong.push(
                    `${claimedBy}: ${name}: ${answer || "taken"}; the rules say ${said.join("; ") || "nothing"}`,
                );
        }
        expect(wrong).toEqual([]);
        expect(refused).toBeGreaterThan(50);
        console.info(`${refused} faults refused by ${rules.size} policies`);
    });

    test("refuses a pod that comes by itself", async () => {
        const [pod] = await podsOf(cluster, "blue");
        const { spec, metadata } = pod ?? {};
        const [container] = spec?.containers ?? [];
        const bare = { name: "service", image: container?.image };
        const object = {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "by-hand", namespace: metadata?.namespace },
            spec: { ...spec, containers: [bare], nodeName: undefined, volumes: [] },
        };
        expect(podOf(objectsOf(object)[0]!)?.path).toBe("spec");
        const said = saidOf(object);
        expect(said.length).toBeGreaterThan(0);
        const answer = await refusal(object);
        expect(said.some((words) => answer.includes(words))).toBe(true);
    });

    test("lets a change pass that leaves the spec as it is, and leaves other namespaces alone", async () => {
        const [workload] = workloads;
        const annotated = {
            ...workload,
            metadata: {
                ...(workload?.metadata as object),
                annotations: { "property-search.io/test": "1" },
            },
        };
        const answer = await cluster.objects
            .patch(
                annotated as KubernetesObject,
                undefined,
                "All",
                undefined,
                undefined,
                PatchStrategy.MergePatch,
            )
            .catch((error: unknown) => error);
        expect(answer).not.toBeInstanceOf(Error);
        const elsewhere = {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "any", namespace: "default" },
            spec: { containers: [{ name: "any", image: "any:latest" }] },
        };
        expect(await refusal(elsewhere)).toBe("");
        expect(Object.values(NAMESPACES)).not.toContain("default");
    });
});

/** As somebody would write it: without what the server added. */
function asNew({ metadata, ...object }: Json): Json {
    const { name, namespace, labels } = metadata as Record<string, unknown>;
    const { status: _, ...rest } = object;
    return JSON.parse(JSON.stringify({ ...rest, metadata: { name, namespace, labels } })) as Json;
}
