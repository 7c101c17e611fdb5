import { describe, expect, test } from "@jest/globals";
import { Secret } from "@pulumi/policy";
import { Type, type TSchema } from "typebox";
import type { Exemption } from "../engine/config.ts";
import { toPulumiPolicies } from "../engine/pack.ts";
import type { Rule } from "../engine/rule.ts";
import type { Json } from "../kubernetes/object.ts";
import { RULES } from "../rules/index.ts";
import { memoryLimit } from "../rules/memoryLimit/rule.ts";
import { readinessProbe } from "../rules/readinessProbe/rule.ts";
import { container, deployment, object, ofEachKind, podSpec } from "./support/manifests.ts";
import { budget, workingDir } from "./support/rules.ts";
import { resourceOf, secretly, serve } from "./support/sdk.ts";

const NOW = new Date("2026-06-15T12:00:00Z");
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const exemption = (more: Partial<Exemption> = {}): Json => ({
    reason: "a reason that says why",
    expires: "2026-09-15",
    ...more,
});
const pack = (rules: readonly Rule[], config: Readonly<Record<string, Json>> = {}) =>
    serve(
        toPulumiPolicies(rules, () => NOW),
        config,
    );
const bare = container({ readinessProbe: undefined });
const twoBare = resourceOf(deployment(podSpec({}, bare, { ...bare, name: "other" })));

describe("every rule is a policy of the SDK", () => {
    const policies = toPulumiPolicies(RULES);

    test("with all metadata of the rule", () => {
        for (const [index, rule] of RULES.entries()) {
            expect(policies[index]).toMatchObject({
                name: rule.name,
                description: rule.title,
                enforcementLevel: rule.level,
                severity: rule.severity,
                url: rule.url,
                remediationSteps: expect.stringContaining("Fix"),
                [rule.scope === "object" ? "validateResource" : "validateStack"]:
                    expect.any(Function),
            });
        }
        expect(policies[0]).toMatchObject({ displayName: "Fields" });
    });

    test("have unique names; the policies about exemptions run last", () => {
        const names = policies.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        expect(names.slice(-2)).toEqual(["exemptions", "expired-exemptions"]);
    });

    test("with a schema of its config in the words of JSON Schema that the SDK has", () => {
        for (const { configSchema } of policies) {
            if (!configSchema) continue;
            expect(Object.keys(configSchema)).toEqual(["properties"]);
            expect(configSchema.properties.exempt).toMatchObject({ type: "array", default: [] });
            for (const schema of Object.values(configSchema.properties)) {
                expect(wordsOf(schema as Json).filter((word) => !WORDS.has(word))).toEqual([]);
                expect(schema.default).toBeDefined();
                expect(schema.description).toMatch(/\w/);
            }
        }
    });

    const converted = (...union: readonly TSchema[]) => {
        const which = Type.Union([...union], { default: "forbid", description: "which" });
        const settings = { which: Type.Array(which, { default: [], description: "some" }) };
        const [policy] = toPulumiPolicies([{ ...readinessProbe, settings }]);
        return policy?.configSchema?.properties.which?.items;
    };
    const rest = { default: "forbid", description: "which" };

    test("a choice among words is an enum", () => {
        const words = [Type.Literal("require"), Type.Literal("forbid")];
        expect(converted(...words)).toEqual({ enum: ["require", "forbid"], ...rest });
    });

    test("a choice among types is a list of them; of more the SDK has no words", () => {
        const types = { type: ["integer", "string"], ...rest };
        expect(converted(Type.Integer(), Type.String())).toEqual(types);
        expect(() => converted(Type.Integer({ minimum: 1 }), Type.String())).toThrow(
            "cannot express",
        );
    });
});

describe("a resource", () => {
    test("gets a message with problem, place, reason and fix", async () => {
        const reported = await pack([readinessProbe, memoryLimit]).analyze(twoBare);
        expect(reported.map(({ policy, level }) => [policy, level])).toEqual([
            ["readiness-probe", "mandatory"],
            ["readiness-probe", "mandatory"],
        ]);
        expect(reported[0]?.message).toBe(
            `Deployment search/service, container service: has ports and no readinessProbe (spec.template.spec.containers[service].readinessProbe)
Why: ${readinessProbe.why}
Fix:
    readinessProbe:
      httpGet:
        path: /readyz
        port: http
      periodSeconds: 5
      timeoutSeconds: 3`,
        );
    });

    test("that is not a Kubernetes object is not checked", async () => {
        const type = "pulumi:pulumi:Stack";
        const policies = toPulumiPolicies([readinessProbe]);
        expect(await serve(policies).analyze({ type, urn: "urn", props: {} })).toEqual([]);
    });

    test("is judged by the thresholds of the stack", async () => {
        const resources = { requests: { memory: "1Gi" }, limits: { memory: "3Gi" } };
        const resource = resourceOf(deployment(podSpec({}, container({ resources }))));
        expect(await pack([memoryLimit]).analyze(resource)).toHaveLength(1);
        const config = { "memory-limit": { ratio: 3 } };
        expect(await pack([memoryLimit], config).analyze(resource)).toEqual([]);
    });

    test("with an unknown value is reported as undecided, and hides nothing else", async () => {
        const unknown = container({ ports: UNKNOWN });
        const resource = resourceOf(deployment(podSpec({}, unknown, { ...bare, name: "other" })));
        expect(await pack([readinessProbe, memoryLimit]).analyze(resource)).toEqual([
            expect.objectContaining({
                level: "mandatory",
                message: expect.stringContaining("container other: has ports and no"),
            }),
            {
                policy: "readiness-probe",
                level: "advisory",
                message: expect.stringContaining("containers.0.ports can't be known"),
            },
        ]);
    });

    test("is not checked with an invalid config, whose error lists the allowed values", async () => {
        const config = { "memory-limit": { exempt: [exemption({ expires: "2026-02-31" })] } };
        const broken = pack([memoryLimit], config).analyze(twoBare);
        await expect(broken).rejects.toMatchObject({
            stack: 'Error: memory-limit.exempt.0.expires is "2026-02-31"; allowed: a day, as YYYY-MM-DD',
        });
    });
});

describe("the whole stack", () => {
    const alone = resourceOf(deployment());
    const other = resourceOf(object("policy/v1", "PodDisruptionBudget"));
    const provider = { type: "pulumi:providers:kubernetes", urn: "urn", props: {} };

    test("is checked once, and violations are reported for its resource", async () => {
        expect(await pack([budget]).analyzeStack([provider, alone])).toEqual([
            {
                policy: "budget",
                level: "mandatory",
                message: expect.stringContaining("Deployment search/service: has no budget"),
                urn: alone.urn,
            },
        ]);
        expect(await pack([budget]).analyzeStack([alone, other])).toEqual([]);
        expect(await pack([budget]).analyze(alone)).toEqual([]);
    });

    test("has no object that an update removes, which the engine lists after a refresh", async () => {
        const { analyze, analyzeStack } = pack([readinessProbe, budget]);
        await analyze(other);
        expect(await analyzeStack([alone, other])).toEqual([]);
        await analyze(alone);
        expect(await analyzeStack([alone])).toHaveLength(1);
    });

    test("with something unknown is undecided", async () => {
        const unnamed = resourceOf({ ...object("policy/v1", "PodDisruptionBudget") });
        const reported = await pack([budget]).analyzeStack([
            alone,
            { ...unnamed, props: { metadata: UNKNOWN } },
        ]);
        expect(reported).toEqual([expect.objectContaining({ level: "advisory" })]);
    });
});

describe("an exemption", () => {
    const config = (...exempt: readonly Json[]) => ({ "readiness-probe": { exempt } });
    const analyze = async (
        exempt: readonly Json[],
        resource = twoBare,
        rules: readonly Rule[] = [readinessProbe],
    ) => {
        const session = pack(rules, config(...exempt));
        return [await session.analyze(resource), await session.analyzeStack([resource])] as const;
    };

    test("is reported in a run that uses it, with its places", async () => {
        const [violations, reported] = await analyze([exemption({ namespace: "search" })]);
        expect(violations).toEqual([]);
        expect(reported).toEqual([
            {
                policy: "exemptions",
                level: "advisory",
                message:
                    "readiness-probe for search/*, container * is valid until 2026-09-15: a reason that says why " +
                    "(Deployment search/service, container service; Deployment search/service, container other)",
            },
        ]);
    });

    test("matches only the named objects, and is reported if it matches none", async () => {
        const [violations, reported] = await analyze([
            exemption({ container: "other" }),
            exemption({ workload: "gone" }),
        ]);
        expect(violations).toEqual([
            expect.objectContaining({ message: expect.stringContaining("container service:") }),
        ]);
        expect(reported[0]?.message.split("\n")).toEqual([
            expect.stringContaining("(Deployment search/service, container other)"),
            "readiness-probe for */gone, container * matched nothing; valid until 2026-09-15: a reason that says why",
        ]);
    });

    test("may be needed where something is unknown", async () => {
        const unknown = resourceOf(deployment(podSpec({}, container({ ports: UNKNOWN }))));
        const [, reported] = await analyze([exemption()], unknown);
        expect(reported).toEqual([]);
    });

    test("is reported for 30 days before it expires", async () => {
        const [, reported] = await analyze([
            exemption({ namespace: "search", expires: "2026-07-15" }),
        ]);
        expect(reported[0]?.message.split("\n")[1]).toBe(
            "readiness-probe for search/*, container * expires in 30 days, on 2026-07-15: a reason that says why",
        );
    });

    test("fails after it has expired, whether it matches anything or not", async () => {
        const [violations, reported] = await analyze([
            exemption({ expires: "2026-06-14", container: "other" }),
            exemption({ expires: "2026-01-01", workload: "gone" }),
        ]);
        expect(violations).toHaveLength(2);
        expect(violations[1]?.message).toContain("The exemption expired on 2026-06-14: a reason");
        expect(reported).toEqual([
            {
                policy: "expired-exemptions",
                level: "mandatory",
                message: `readiness-probe for */*, container other expired on 2026-06-14: a reason that says why
readiness-probe for */gone, container * expired on 2026-01-01: a reason that says why`,
            },
        ]);
    });

    test("of nothing is not spoken of", async () => {
        expect((await analyze([]))[1]).toEqual([]);
    });
});

describe("remediation", () => {
    const remediated = (resource = resourceOf(deployment()), more: Json = {}, rule = workingDir) =>
        pack([rule], {
            [rule.name]: { enforcementLevel: "remediate", ...more },
        }).remediate(resource);
    const of = (change: Json) => resourceOf(deployment(podSpec({}, container(change))));
    const containers = ([props]: readonly Json[]) =>
        (props as { spec: { template: { spec: { containers: Json[] } } } }).spec.template.spec
            .containers;

    test("sets missing fields to the thresholds of the stack", async () => {
        const { props } = of({ workingDir: "/here", env: [{ name: "HOME", value: "/here" }] });
        expect(await remediated(of({}), { folder: "/here" })).toEqual([props]);
    });

    test("runs at no other level", async () => {
        expect(await pack([workingDir]).remediate(of({}))).toEqual([]);
    });

    test("gives nothing back when there was nothing to set", async () => {
        const set = of({ workingDir: "/", env: [{ name: "HOME", value: "/" }] });
        expect(await remediated(set)).toEqual([]);
    });

    test("keeps existing values, and secrets secret", async () => {
        const env = [{ name: "TOKEN", value: new Secret("hush") }];
        const [one] = containers(await remediated(of({ env, command: new Secret(["run"]) })));
        expect(one).toMatchObject({
            env: [
                { name: "TOKEN", value: secretly("hush") },
                { name: "HOME", value: "/work" },
            ],
            command: secretly(["run"]),
            workingDir: "/work",
        });
    });

    test("cannot change existing values, even if a rule writes to them", async () => {
        const rash: Rule = {
            ...workingDir,
            remediate: ({ spec }) => {
                const [first] = spec.containers;
                if (!first) return;
                first.image = "other";
                first.workingDir = "/set";
                first.resources = { limits: { memory: "1Ti", hugepages: "1" }, claims: [] };
                spec.containers = [];
                delete first.resources.limits;
            },
        };
        const image = new Secret("registry.example/service:v1");
        const [one] = containers(
            await remediated(of({ image, resources: { limits: { memory: "1Gi" } } }), {}, rash),
        );
        expect(one).toMatchObject({
            image: secretly("registry.example/service:v1"),
            workingDir: "/set",
            resources: { limits: { memory: "1Gi", hugepages: "1" }, claims: [] },
        });
    });

    test("is of every object of a list, and not of a patch", async () => {
        const items = [deployment(), deployment(podSpec({}, container({ workingDir: "/" })))];
        const list = resourceOf({ apiVersion: "apps/v1", kind: "DeploymentList", items });
        const [changed] = await remediated(list);
        expect(JSON.stringify(changed).match(/workingDir":"\/work"/g)).toHaveLength(1);
        expect(await remediated(resourceOf(deployment(), "Patch"))).toEqual([]);
    });

    test("does not change exempt objects or containers until the exemption expires", async () => {
        const exempt = (more: Partial<Exemption>) =>
            remediated(of({}), { exempt: [exemption(more)] });
        expect(await exempt({ namespace: "search" })).toEqual([]);
        expect(await exempt({ container: "service" })).toEqual([]);
        expect(await exempt({ container: "other" })).toHaveLength(1);
        expect(await exempt({ expires: "2026-06-14" })).toHaveLength(1);
    });

    test("changes nothing because of an unknown value", async () => {
        await expect(remediated(of({ env: UNKNOWN }))).rejects.toThrow("can't be known");
        expect(await remediated(of({ image: UNKNOWN }))).toHaveLength(1);
    });
});

describe("every remediation of the pack, if nothing is set", () => {
    const config = Object.fromEntries(
        RULES.filter(({ remediate }) => remediate).map(({ name }) => [
            name,
            { enforcementLevel: "remediate" },
        ]),
    );
    const nothing = {
        containers: [{ name: new Secret("service"), image: new Secret("service:v1") }],
        volumes: [{ name: "scratch", emptyDir: {} }],
    };

    test.each(Object.entries(ofEachKind(nothing)))(
        "makes a %s that needs no other, with its secrets",
        async (_, manifest) => {
            const session = pack(RULES, config);
            const resource = resourceOf(manifest);
            const once = await session.remediate(resource);
            expect(await session.remediate(resource)).toEqual([]);
            for (const props of once) {
                expect(JSON.stringify(props)).toMatch(
                    /"name":\{[^}]*"service"\},"image":\{[^}]*"service:v1"\}/,
                );
            }
        },
    );
});

/** Those of PolicyConfigJSONSchema. */
const WORDS = new Set(
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern items additionalItems maxItems minItems uniqueItems contains maxProperties minProperties required properties patternProperties additionalProperties dependencies propertyNames format description default".split(
        " ",
    ),
);

/** Keywords of a schema and of the schemas in it. */
function wordsOf(schema: Json): string[] {
    const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null;
    const named = ["properties", "patternProperties"].flatMap((word) =>
        Object.values((schema[word] ?? {}) as Json),
    );
    const inner = [...named, schema.items, schema.additionalProperties].filter(isJson);
    return [...Object.keys(schema), ...inner.flatMap(wordsOf)];
}
