import { describe, expect, test } from "@jest/globals";
import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import { parseAllDocuments } from "yaml";
import { renderAddon } from "../../local/src/addons/addons.ts";
import { createReference } from "../../local/src/images/images.ts";
import { OFFICIAL_IMAGES } from "../../local/src/kind/images.ts";
import { MINIMAL_CONFIG } from "../../local/src/plans/minimalDeploy.ts";
import { completeConfig, minimalConfig } from "../../local/src/plans/kind.ts";
import { formatMessage } from "../../policies/engine/message.ts";
import {
    findExpired,
    findFailures,
    findAdvisories,
    runRules,
    findUnused,
} from "../../policies/engine/run.ts";
import { toObjects, type Json } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { render } from "../support/stacks.ts";

const ON_KIND = {
    port: 18_080,
    images: [
        ...OFFICIAL_IMAGES,
        {
            name: "embedding-service",
            references: ["v1.0.0", "v2.0.0-enhanced"].map((version) =>
                createReference("embedding-service", version, "0123456789ab"),
            ),
        },
        ...["insights", "property-search"].map((name) => ({
            name,
            references: [createReference(name, "v1.0.0", "0123456789ab")],
        })),
    ],
};

/** The local stack has Grafana where its image is to be had. */
const STACKS = [
    ["dev", {}],
    ["prod", {}],
    ["local", completeConfig(ON_KIND)],
] as const;

describe.each(STACKS)("stack %s", (stack, overrides) => {
    test("has nothing that a rule finds, and no exemption too many", async () => {
        const { manifests } = await render({ stack, overrides });
        const result = runRules(RULES, readStackPolicies(stack), manifests.flatMap(toObjects));
        expect(findFailures(result).map(formatMessage)).toEqual([]);
        expect(findAdvisories(result).map(formatMessage)).toEqual([]);
        expect(findExpired(result)).toEqual([]);
        expect(findUnused(result)).toEqual([]);
        expect(result.rules).toHaveLength(RULES.length);
        expect(result.rules.flatMap(({ undecided }) => undecided)).toEqual([]);
    });
});

/** With what `make up` sets, on each kind of cluster and as long as there is nothing that watches. */
test.each([
    ["on a node of its own", {}],
    ["on a node of its own while it only serves", MINIMAL_CONFIG],
    ["on kind while it only serves", { ...minimalConfig(ON_KIND), ...MINIMAL_CONFIG }],
])("the local stack has nothing that a rule finds %s", async (_, overrides) => {
    const { manifests } = await render({ stack: "local", overrides });
    const result = runRules(RULES, readStackPolicies("local"), manifests.flatMap(toObjects));
    expect(findFailures(result).map(formatMessage)).toEqual([]);
});

/** Not of the program, but in one of its namespaces, where the API server asks the same of everybody. */
test("the local stack's alert receiver complies with the admission policies", async () => {
    const images = [
        { name: "embedding-service", references: ["localhost/embedding-service:v1.0.0-0"] },
    ];
    const gateway = { address: "", port: 8080 };
    const inputs = { images, gateway, kubectl: "", kubeconfig: "" };
    const [NAMESPACE, ALERTMANAGER] = [NAMESPACES.monitoring, MONITORING_NAMES.alertmanager];
    const text = await renderAddon("alert-receiver", inputs, {
        NAMESPACE,
        ALERTMANAGER,
        CHECKSUM: "",
    });
    const manifests = parseAllDocuments(text).map((one) => one.toJSON() as Json);
    const enforced = RULES.filter(({ admission }) => admission !== undefined);
    const policies = Object.entries(readStackPolicies("local")).filter(([name]) =>
        enforced.some((rule) => rule.name === name),
    );
    const result = runRules(enforced, Object.fromEntries(policies), manifests.flatMap(toObjects));
    expect(findFailures(result).map(formatMessage)).toEqual([]);
});
