import { beforeAll, describe, expect, test } from "@jest/globals";
import { formatHeadline } from "../../../policies/engine/message.ts";
import { findFailures, runRules, findUnused, type Run } from "../../../policies/engine/run.ts";
import type { KubernetesObject } from "../../../policies/kubernetes/object.ts";
import { getPod } from "../../../policies/kubernetes/pods.ts";
import { FINDINGS } from "../../policies/thirdParty/findings.ts";
import { fetchManifests } from "../../policies/thirdParty/modules.ts";
import { PROJECTS } from "../../policies/thirdParty/projects.ts";
import { RULES } from "../../../policies/rules/index.ts";

describe.each(PROJECTS)("manifests of $name", (project) => {
    let objects: readonly KubernetesObject[];
    let result: Run;

    beforeAll(async () => {
        objects = await fetchManifests(project);
        result = runRules(RULES, FINDINGS[project.name] ?? {}, objects);
    });

    test("have pods, and no rule is undecided", () => {
        expect(objects.filter((object) => getPod(object))).not.toEqual([]);
        expect(result.rules.flatMap(({ undecided }) => undecided)).toEqual([]);
    });

    test("violate only rules with a listed reason", () => {
        expect(
            findFailures(result).map((one) => `${one.rule.name}: ${formatHeadline(one)}`),
        ).toEqual([]);
    });

    test("have every violation that is listed", () => {
        expect(findUnused(result).map(({ rule, exemption }) => [rule.name, exemption])).toEqual([]);
    });
});

test("there are no reasons for a project that is not checked", () => {
    const names = PROJECTS.map(({ name }) => name);
    expect(Object.keys(FINDINGS).filter((name) => !names.includes(name))).toEqual([]);
});

test("a kustomization is built with components, labels and images", async () => {
    const project = PROJECTS.find(({ name }) => name === "metrics-server");
    const objects = project ? await fetchManifests(project) : [];
    const labels = { "k8s-app": "metrics-server" };
    const image = "registry.k8s.io/metrics-server/metrics-server:v0.9.0";
    expect(objects.find(({ kind }) => kind === "Deployment")?.body).toMatchObject({
        metadata: { labels },
        spec: {
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [{ image }] } },
        },
    });
});
