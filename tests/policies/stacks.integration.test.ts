import { describe, expect, test } from "@jest/globals";
import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import { parseAllDocuments } from "yaml";
import { addon } from "../../local/src/addons/addons.ts";
import { referenceOf } from "../../local/src/images/images.ts";
import { OFFICIAL_IMAGES } from "../../local/src/kind/images.ts";
import { SERVING_ONLY } from "../../local/src/plans/completing.ts";
import { completeConfig, servingConfig } from "../../local/src/plans/kind.ts";
import { message } from "../../policies/engine/message.ts";
import { expiredOf, failuresOf, advicesOf, run, unusedOf } from "../../policies/engine/run.ts";
import { objectsOf, type Json } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { policiesOf } from "../../policies/stacks.ts";
import { render } from "../support/stacks.ts";

const ON_KIND = {
    port: 18_080,
    images: [
        ...OFFICIAL_IMAGES,
        {
            name: "embedding-service",
            references: ["v1.0.0", "v2.0.0-enhanced"].map((version) =>
                referenceOf("embedding-service", version, "0123456789ab"),
            ),
        },
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
        const result = run(RULES, policiesOf(stack), manifests.flatMap(objectsOf));
        expect(failuresOf(result).map(message)).toEqual([]);
        expect(advicesOf(result).map(message)).toEqual([]);
        expect(expiredOf(result)).toEqual([]);
        expect(unusedOf(result)).toEqual([]);
        expect(result.rules).toHaveLength(RULES.length);
        expect(result.rules.flatMap(({ undecided }) => undecided)).toEqual([]);
    });
});

/** With what `make up` sets, on each kind of cluster and as long as there is nothing that watches. */
test.each([
    ["on a node of its own", {}],
    ["on a node of its own while it only serves", SERVING_ONLY],
    ["on kind while it only serves", { ...servingConfig(ON_KIND), ...SERVING_ONLY }],
])("the local stack has nothing that a rule finds %s", async (_, overrides) => {
    const { manifests } = await render({ stack: "local", overrides });
    const result = run(RULES, policiesOf("local"), manifests.flatMap(objectsOf));
    expect(failuresOf(result).map(message)).toEqual([]);
});

/** Not of the program, but in one of its namespaces, where the API server asks the same of everybody. */
test("the local stack's alert inbox is taken by what its API server enforces", async () => {
    const images = [
        { name: "embedding-service", references: ["localhost/embedding-service:v1.0.0-0"] },
    ];
    const gateway = { address: "", port: 8080 };
    const inputs = { images, gateway, kubectl: "", kubeconfig: "" };
    const [NAMESPACE, ALERTMANAGER] = [NAMESPACES.monitoring, MONITORING_NAMES.alertmanager];
    const text = await addon("alert-inbox", inputs, { NAMESPACE, ALERTMANAGER, CHECKSUM: "" });
    const manifests = parseAllDocuments(text).map((one) => one.toJSON() as Json);
    const enforced = RULES.filter(({ admission }) => admission !== undefined);
    const policies = Object.entries(policiesOf("local")).filter(([name]) =>
        enforced.some((rule) => rule.name === name),
    );
    const result = run(enforced, Object.fromEntries(policies), manifests.flatMap(objectsOf));
    expect(failuresOf(result).map(message)).toEqual([]);
});
