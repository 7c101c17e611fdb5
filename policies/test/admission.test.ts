import { describe, expect, test } from "@jest/globals";
import { toAdmissionPolicies } from "../admission/policies.ts";
import { cel, isRe2, matchesAny, message, template } from "../cel/cel.ts";
import type { StackPolicies } from "../engine/config.ts";
import { RULES } from "../rules/index.ts";
import { readStackPolicies } from "../stacks.ts";

const NOW = new Date("2026-06-15T12:00:00Z");
const generated = (policies: StackPolicies) => toAdmissionPolicies(RULES, policies, NOW);
const specsOf = (name: string, policies: StackPolicies) =>
    generated(policies)
        .filter(({ metadata }) => metadata.name === `property-search-${name}`)
        .map(({ spec }) => JSON.stringify(spec));

/** What admission does not enforce, by rule. A rule that is not listed is enforced in full. */
const GAPS = {
    "image-tag": /^ephemeral containers/,
    "image-registry": /^ephemeral containers/,
    "pod-security": /^the standards themselves, which the API server enforces/,
    "secret-literals": /^commands, ConfigMaps, environments of more than/,
    permissions: /^ClusterRoles and their bindings/,
    "stateful-service": /^the properties of that Service/,
};

describe("at admission", () => {
    test("every rule about one object is enforced; a gap has a reason", () => {
        const ofOne = RULES.filter(({ scope }) => scope === "object");
        for (const { name, admission, admissionGap } of ofOne) {
            if (!admission) expect([name, admissionGap]).toEqual([name, expect.any(String)]);
        }
        const enforced = RULES.filter(({ admission }) => admission);
        const inPart = enforced.filter(({ admissionGap }) => admissionGap !== undefined);
        expect(inPart.map(({ name }) => name).sort()).toEqual(Object.keys(GAPS).sort());
        for (const { name, admissionGap } of inPart) {
            expect(admissionGap).toMatch(GAPS[name as keyof typeof GAPS]);
        }
    });

    test.each(["local", "dev", "prod"])("the stack %s has all of them", (stack) => {
        const names = generated(readStackPolicies(stack))
            .filter(({ kind }) => kind === "ValidatingAdmissionPolicy")
            .map(({ metadata }) => metadata.name.replace("property-search-", ""));
        const enforced = RULES.filter(({ admission }) => admission).map(({ name }) => name);
        expect(names).toEqual(enforced);
    });

    test("objects that operators create for the Gateway are excluded; those of people are not", () => {
        const [policy = ""] = specsOf("image-tag", {});
        const { matchConditions } = JSON.parse(policy) as {
            matchConditions: { name: string; expression: string }[];
        };
        const condition = matchConditions.find(({ name }) => name === "not-from-operator");
        for (const part of [
            "request.namespace == 'property-search-edge'",
            "request.userInfo.username.startsWith('system:serviceaccount:')",
            "http01-solver'].orValue('') == 'true'",
            "gateway-name'].orValue('') == 'embedding-gateway'",
        ]) {
            expect(condition?.expression).toContain(part);
        }
    });

    test("the stack's own cert-manager is checked, except for probes that its chart cannot have", () => {
        const isWithoutExclusion = (rule: string) =>
            !specsOf(rule, readStackPolicies("prod"))[0]?.includes("property-search-certificates");
        expect(
            ["readiness-probe", "liveness-probe", "startup-probe"].map(isWithoutExclusion),
        ).toEqual([false, false, false]);
        const others = [
            "image-tag",
            "image-registry",
            "memory-limit",
            "cpu-limit",
            "rolling-update",
        ];
        expect(others.map(isWithoutExclusion)).toEqual(others.map(() => true));
    });

    test("a disabled rule, or one without enabled checks, creates no policy", () => {
        expect(specsOf("readiness-probe", { "readiness-probe": "disabled" })).toEqual([]);
        expect(specsOf("cpu-limit", { "cpu-limit": { mode: "ignore" } })).toEqual([]);
        expect(specsOf("image-registry", {})).toEqual([]);
    });

    test("an advisory rule warns, a mandatory one denies", () => {
        const [, binding] = specsOf("startup-probe", {});
        expect(binding).toContain('"validationActions":["Warn"]');
        const [, mandatory] = specsOf("startup-probe", { "startup-probe": "mandatory" });
        expect(mandatory).toContain('"validationActions":["Deny"]');
    });

    test("settings become literals, whatever characters they contain", () => {
        const [ratio] = specsOf("memory-limit", { "memory-limit": { ratio: 2.5 } });
        expect(ratio).toContain("> double(2.5) *");
        const registries = ['a"b\\*', "c.d/*"];
        const [policy = "{}"] = specsOf("image-registry", { "image-registry": { registries } });
        const { variables } = JSON.parse(policy) as { variables: { expression: string }[] };
        const expression = variables.at(-1)?.expression;
        expect(expression).toContain(String.raw`name.matches("(?s)^a\"b\\\\.*$")`);
        expect(expression).toContain(String.raw`"a\"b\\*, c.d/*"`);
    });

    test("exempt objects are excluded until the exemption expires", () => {
        const exempt = (more: object) => ({
            "readiness-probe": {
                exempt: [{ reason: "a reason that says why", expires: "2026-06-15", ...more }],
            },
        });
        const [whole] = specsOf("readiness-probe", exempt({ namespace: "a*", workload: "b" }));
        expect(whole).toContain('"name":"exempt-0"');
        expect(whole).toContain("^a.*$");
        // Of a pod of b.
        expect(whole).toContain("^b(-[a-z0-9]+){0,2}-?$");
        const [inside] = specsOf("readiness-probe", exempt({ container: "c" }));
        expect(inside).not.toContain("exempt-0");
        expect(inside).toContain(String.raw`c.name.matches(\"(?s)^c$\")`);
        expect(
            specsOf("readiness-probe", exempt({ container: "c", expires: "2026-06-14" })),
        ).toEqual(specsOf("readiness-probe", {}));
    });
});

describe("an expression", () => {
    test("has values as literals and expressions as they are", () => {
        const one = cel`a.b in ${["x", "it's"]} && c == ${cel`1 + 1`} || d.matches(${/^\d+$/i})`;
        expect(one.cel).toBe(
            String.raw`a.b in ["x","it's"] && c == (1 + 1) || d.matches("(?i)^\\d+$")`,
        );
        expect(matchesAny([], cel`a`).cel).toBe("false");
        expect(matchesAny(["a*", "b"], cel`c`).cel).toBe(
            'c.matches("(?s)^a.*$") || c.matches("(?s)^b$")',
        );
    });

    test("of words is a text, or the expression of the same text", () => {
        const sentence = template((most, who) => message`at most ${most} of ${who}`);
        expect(sentence(2, "them")).toBe("at most 2 of them");
        expect(sentence(cel`a + b`, "us").cel).toBe('"at most " + string(a + b) + " of " + "us"');
    });

    test("has no regular expression that looks around or back", () => {
        for (const regexp of [/a(?=b)/, /(?<!a)b/, /(?<q>')a\k<q>/, /(')a\1/]) {
            expect(isRe2(regexp)).toBe(false);
            expect(() => cel`${regexp}`).toThrow("RE2 cannot express");
        }
        expect(cel`${/(?<name>a)\/(?:b)/}`.cel).toBe(String.raw`"(a)\\/(?:b)"`);
    });
});
