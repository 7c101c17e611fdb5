import { expect, test } from "@jest/globals";
import { reclaimable } from "../../src/addons/reclaim.ts";
import { VOLUMES } from "../../src/node/configuration.ts";

const [folder = ""] = VOLUMES;

const volume = (name: string, path: string | undefined, phase: string | undefined) => ({
    metadata: { name },
    spec: path === undefined ? {} : { local: { path } },
    ...(phase !== undefined && { status: { phase } }),
});

const listed = (...items: object[]) => JSON.stringify({ items });

test("a volume whose claim is gone is made anew", () => {
    expect(reclaimable(listed(volume("local-0", folder, "Released")))).toEqual([
        { name: "local-0", folder },
    ]);
});

test.each(["Bound", "Available", "Pending", undefined])("one that is %s is left alone", (phase) => {
    expect(reclaimable(listed(volume("local-0", folder, phase)))).toEqual([]);
});

test("a volume outside of the node's folders is nobody's to empty", () => {
    const others = [
        volume("a", "/", "Released"),
        volume("b", `${folder}/below`, "Released"),
        volume("c", undefined, "Released"),
    ];
    expect(reclaimable(listed(...others))).toEqual([]);
    expect(reclaimable(listed())).toEqual([]);
});
