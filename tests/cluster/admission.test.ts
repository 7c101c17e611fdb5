import type { KubernetesObject } from "@kubernetes/client-node";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { LABELS, NAMESPACES, PART_OF, SERVICE_NAMES } from "@property-search/contract";
import { parseStackPolicies, type RuleConfig } from "../../policies/engine/config.ts";
import { evaluate, type Violation } from "../../policies/engine/evaluate.ts";
import { formatHeadline } from "../../policies/engine/message.ts";
import type { Rule } from "../../policies/engine/rule.ts";
import { createMutants } from "../../policies/mutations/mutation.ts";
import { asJson, toObjects, type Json } from "../../policies/kubernetes/object.ts";
import { MUTATIONS } from "../../policies/rules/mutations.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { openCluster, podsOf } from "../support/cluster.ts";

const cluster = openCluster();
const rules: ReadonlyMap<Rule, RuleConfig> = new Map(
    [...parseStackPolicies(RULES, readStackPolicies("local"))].filter(([rule, { level }]) => {
        return rule.admission !== undefined && level === "mandatory";
    }),
);

/** What the policies look at, and a deploy makes. */
const KINDS = [
    ["apps/v1", "Deployment"],
    ["apps/v1", "StatefulSet"],
    ["rbac.authorization.k8s.io/v1", "Role"],
    ["rbac.authorization.k8s.io/v1", "RoleBinding"],
] as const;

/** What the rules that are at admission too say of an object. */
function saidOf(object: Json): Violation[] {
    return [...rules].flatMap(
        ([rule, config]) => evaluate(rule, config, toObjects(object)).violations,
    );
}

/** The rest of a rejection without the messages of the rules: only their separators. */
function unexplained(words: string, violations: readonly Violation[]): string {
    const rest = violations.map(formatHeadline).reduce((all, one) => all.replace(one, ""), words);
    return rest.replaceAll("; ", "");
}

interface Answer {
    /** Why it is refused; empty when it is taken. */
    readonly refusal: string;
    /** The words of the policy that refuses it, where one does. */
    readonly words: string | undefined;
    /** As the server would store it, with its defaults. */
    readonly stored: Json | undefined;
}

/** What the API server says to creating it; nothing is created. */
async function ask(object: Json): Promise<Answer> {
    try {
        const stored = await cluster.objects.create(object, { dryRun: true });
        return {
            refusal: "",
            words: undefined,
            stored: { ...object, ...stored },
        };
    } catch (error) {
        const { message } = JSON.parse((error as { body: string }).body) as { message: string };
        const [, words] = /ValidatingAdmissionPolicy .* denied request: (.*)$/s.exec(message) ?? [];
        return { refusal: message, words, stored: undefined };
    }
}

/** An object as policies see it, with the server's defaults: where none of them is. */
async function asSeen(object: Json): Promise<Json | undefined> {
    const { namespace, ...metadata } = asJson(object.metadata);
    const moved = { ...object, metadata: { ...metadata, namespace: "default" } };
    const { stored } = await ask(moved);
    return stored && { ...stored, metadata: { ...asJson(stored.metadata), namespace } };
}

/** For some hundred requests, one after another, to a server on a busy machine. */
const TEST_MILLISECONDS = 300_000;

describe("the API server, for every client", () => {
    let objects: Json[];

    beforeAll(async () => {
        const lists = await Promise.all(
            KINDS.map(async ([apiVersion, kind]) => {
                const { items } = await cluster.objects.list<KubernetesObject>(apiVersion, kind, {
                    labelSelector: `${LABELS.partOf}=${PART_OF}`,
                });
                expect(items.length).toBeGreaterThanOrEqual(2);
                return items.map((item) => asNew({ ...item, apiVersion, kind }));
            }),
        );
        objects = lists.flat();
    });

    test("takes what is deployed", async () => {
        for (const object of objects) expect((await ask(object)).refusal).toBe("");
    });

    test(
        "refuses each fault of a rule that is at admission, in the rule's words",
        async () => {
            const faults = MUTATIONS.filter(({ rule }) =>
                [...rules.keys()].some(({ name }) => name === rule),
            );
            const wrong: string[] = [];
            const refusedBy = new Set<string>();
            let [refused, unstorable] = [0, 0];
            for (const { name, changed, claimedBy } of createMutants(faults, objects)) {
                const defaulted = await asSeen(changed);
                const { refusal, words } = await ask(changed);
                // No server would store it, and none asks its policies then.
                if (!defaulted) {
                    expect(refusal).not.toBe("");
                    unstorable += 1;
                    continue;
                }
                const expected = saidOf(defaulted);
                const mustBe = expected.filter(({ rule }) => rule.admissionGap === undefined);
                if (words !== undefined) {
                    refused += 1;
                    refusedBy.add(claimedBy);
                }
                const isRight =
                    words === undefined
                        ? mustBe.length === 0 && refusal === ""
                        : expected.length > 0 && unexplained(words, expected) === "";
                if (isRight) continue;
                const messages = expected.map(formatHeadline).join("; ");
                wrong.push(
                    `${name}: ${refusal || "taken"}; the rules say ${messages || "nothing"}`,
                );
            }
            expect(wrong).toEqual([]);
            expect([...refusedBy].sort()).toEqual([...rules.keys()].map(({ name }) => name).sort());
            console.info(
                `${refused} faults refused by ${rules.size} policies, ${unstorable} by the server itself`,
            );
        },
        TEST_MILLISECONDS,
    );

    test("rejects a pod without a controller", async () => {
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
        const [words] = saidOf(object).map(formatHeadline);
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
            .merge(annotated, { dryRun: true })
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
function asNew({ metadata, ...rest }: KubernetesObject & { readonly status?: unknown }): Json {
    const { name, namespace, labels } = metadata ?? {};
    const written = {
        ...rest,
        status: undefined,
        metadata: { name: `${name}-tried`, namespace, labels },
    };
    return JSON.parse(JSON.stringify(written)) as Json;
}
