import { describe, expect, test } from "@jest/globals";
import type { Cluster, ObjectReference } from "../../../cluster/connect.ts";
import { deleteUnlessUsed, removalPhases } from "../../../deploy/apply/removal.ts";
import { describeRemoval } from "../../../deploy/apply/remove.ts";

const of = (kind: string, name: string, namespace?: string): ObjectReference => ({
    ...{ apiVersion: "v1", kind, name },
    ...(namespace !== undefined && { namespace }),
});

const DEFINITION = of("CustomResourceDefinition", "certificates.cert-manager.io");

describe("removalPhases", () => {
    const inventory = [
        of("ClusterRole", "cert-manager"),
        DEFINITION,
        of("Namespace", "property-search-certificates"),
        of("Deployment", "cert-manager", "property-search-certificates"),
        of("Namespace", "property-search-edge"),
        of("Certificate", "embedding-gateway", "property-search-edge"),
        of("ReferenceGrant", "embedding-gateway", "theirs"),
    ];
    const names = removalPhases(inventory).map((phase) =>
        phase.map(({ kind, name }) => `${kind} ${name}`),
    );

    test("keep cert-manager until the namespaces with its challenges are deleted", () => {
        expect(names[0]).toContain("Namespace property-search-edge");
        expect(names[1]).toEqual([
            "ClusterRole cert-manager",
            "Namespace property-search-certificates",
        ]);
        expect(names[2]).toEqual(["CustomResourceDefinition certificates.cert-manager.io"]);
    });

    test("have the stack's objects in namespaces of others, and not those in its own", () => {
        expect(names[0]).toContain("ReferenceGrant embedding-gateway");
        expect(names.flat().join()).not.toMatch(/Deployment|Certificate embedding/);
    });
});

describe("deleteUnlessUsed", () => {
    const remove = async (annotations: Record<string, string>, objects: number) => {
        const deleted: string[] = [];
        const lines: string[] = [];
        const spec = {
            group: "cert-manager.io",
            names: { kind: "Certificate" },
            versions: [{ name: "v1", served: true }],
        };
        const cluster = {
            objects: {
                read: () => Promise.resolve({ metadata: { annotations }, spec }),
                list: () => Promise.resolve({ items: Array.from({ length: objects }, () => ({})) }),
                delete: ({ name }: { name: string }) => Promise.resolve(deleted.push(name)),
            },
        } as unknown as Cluster;
        await deleteUnlessUsed(cluster, DEFINITION, (line) => lines.push(line));
        return { deleted, lines };
    };

    test("keeps a kind with objects of others, and reports it", async () => {
        const { deleted, lines } = await remove({ "helm.sh/resource-policy": "keep" }, 2);
        expect(deleted).toEqual([]);
        expect(lines.join()).toMatch(/kept .*certificates\.cert-manager\.io: 2 objects/);
    });

    test("deletes an unused kind, and one without the annotation", async () => {
        const unused = await remove({ "helm.sh/resource-policy": "keep" }, 0);
        const unmarked = await remove({}, 2);
        for (const { deleted } of [unused, unmarked]) expect(deleted).toEqual([DEFINITION.name]);
    });
});

test.each([
    ["by Pulumi", 181, { count: 0, remaining: [] }, "Removed dev from here: 181 objects"],
    ["by apply", 0, { count: 3, remaining: [] }, "Removed dev from here: 3 objects"],
    [
        "after pulumi destroy",
        0,
        { count: 0, remaining: [] },
        "Removed the record of dev from here: it had no more objects",
    ],
    ["never deployed", 0, undefined, "here has no stack dev that was deployed from this machine"],
])("the removal of a stack is described: %s", (_, destroyed, removed, text) => {
    expect(describeRemoval("dev", "here", destroyed, removed)).toBe(text);
});
