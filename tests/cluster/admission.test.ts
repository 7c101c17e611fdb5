import { PatchStrategy, type KubernetesObject } from "@kubernetes/client-node";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { LABELS, NAMESPACES, PART_OF, SERVICE_NAMES } from "@property-search/contract";
import { configsOf, type RuleConfig } from "../../policies/core/config.ts";
import { evaluate } from "../../policies/core/evaluate.ts";
import { headline } from "../../policies/core/message.ts";
import { objectsOf, type Json } from "../../policies/core/object.ts";
import type { Rule } from "../../policies/core/rule.ts";
import { FAULTS, mutantsOf } from "../../policies/faults/index.ts";
import { RULES } from "../../policies/rules/index.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { openCluster, podsOf } from "../support/cluster.ts";

const DENIED = "denied request";
const cluster = openCluster();
const rules: ReadonlyMap<Rule, RuleConfig> = new Map(
    [...configsOf(RULES, policiesOf("local"))].filter(([rule, { level }]) => {
        return rule.admission !== undefined && level === "mandatory";
    }),
);

/** What the rules say of an object in words that CEL has too. */
function saidOf(object: Json): string[] {
    return [...rules].flatMap(([rule, config]) => {
        const words = [rule.admission ?? []].flat().map(({ what }) => what);
        return evaluate(rule, config, objectsOf(object))
            .violations.filter(({ finding }) => words.includes(finding.what))
            .map(headline);
    });
}

interface Answer {
    /** Why it is refused; empty when it is taken. */
    readonly refusal: string;
    /** As the server would store it, with its defaults. */
    readonly stored: Json | undefined;
}

/** What the API server says to creating it; nothing is created. */
async function ask(object: Json): Promise<Answer> {
    try {
        const stored = await cluster.objects.create(object, undefined, "All");
        return {
            refusal: "",
            stored: { ...object, ...JSON.parse(JSON.stringify(stored)) } as Json,
        };
    } catch (error) {
        const { message } = JSON.parse((error as { body: string }).body) as { message: string };
        return { refusal: message, stored: undefined };
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
        for (const workload of workloads) expect((await ask(workload)).refusal).toBe("");
    });

    test("refuses each fault that a rule finds by CEL too, in the same words", async () => {
        const faults = FAULTS.filter(({ rule }) =>
            [...rules.keys()].some(({ name }) => name === rule),
        );
        const wrong: string[] = [];
        let refused = 0;
        for (const { name, changed } of mutantsOf(faults, workloads)) {
            const { refusal, stored } = await ask(changed);
            const words = saidOf(changed).find((one) => refusal.includes(`request: ${one}`));
            if (words !== undefined) refused += 1;
            // Taken: what was missing is filled in, such as a request by the limit. Or no server could store it.
            else if (stored ? saidOf(stored).length > 0 : refusal.includes(DENIED)) {
                wrong.push(
                    `${name}: ${refusal || "taken"}; the rules say ${saidOf(changed).join("; ")}`,
                );
            }
        }
        expect(wrong).toEqual([]);
        expect(refused).toBeGreaterThan(30);
        console.info(`${refused} faults refused by ${rules.size} policies`);
    });

    test("refuses a pod that comes by itself", async () => {
        const [pod] = await podsOf(cluster, "blue");
        const spec = pod?.spec ?? { containers: [] };
        const object = JSON.parse(
            JSON.stringify({
                apiVersion: "v1",
                kind: "Pod",
                metadata: { name: "by-hand", namespace: pod?.metadata?.namespace },
                spec: {
                    ...spec,
                    nodeName: undefined,
                    containers: spec.containers.map((one) => ({
                        ...one,
                        readinessProbe: undefined,
                    })),
                },
            }),
        ) as Json;
        const [words] = saidOf(object);
        expect(words).toMatch(
            /^Pod property-search-blue\/by-hand, container service: has ports and no/,
        );
        expect((await ask(object)).refusal).toContain(words);
    });

    test("lets a change pass that leaves the spec as it is, and leaves other namespaces alone", async () => {
        const annotated = {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: {
                name: SERVICE_NAMES.blue,
                namespace: NAMESPACES.blue,
                annotations: { "property-search.io/test": "1" },
            },
        };
        const answer = await cluster.objects
            .patch(annotated, undefined, "All", undefined, undefined, PatchStrategy.MergePatch)
            .catch((error: unknown) => error);
        expect(answer).not.toBeInstanceOf(Error);
        const elsewhere = {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "any", namespace: "default" },
            spec: { containers: [{ name: "any", image: "any:latest" }] },
        };
        expect((await ask(elsewhere)).refusal).toBe("");
        expect(Object.values(NAMESPACES)).not.toContain("default");
    });
});

/** As somebody would write it, under another name: without what the server added. */
function asNew({
    apiVersion,
    kind,
    metadata,
    spec,
}: KubernetesObject & { readonly spec?: unknown }): Json {
    const { name, namespace, labels } = metadata ?? {};
    const written = {
        apiVersion,
        kind,
        metadata: { name: `${name}-tried`, namespace, labels },
        spec,
    };
    return JSON.parse(JSON.stringify(written)) as Json;
}
