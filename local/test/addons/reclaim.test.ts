import { expect, test } from "@jest/globals";
import { listReclaimable } from "../../src/addons/reclaim.ts";
import { VOLUMES } from "../../src/node/configuration.ts";

const [folder = ""] = VOLUMES;

const volume = (name: string, path: string | undefined, phase: string | undefined) => ({
    metadata: { name },
    spec: path === undefined ? {} : { local: { path } },
    ...(phase !== undefined && { status: { phase } }),
});

const listed = (...items: object[]) => JSON.stringify({ items });

test("a volume whose claim was deleted is recreated", () => {
    expect(listReclaimable(listed(volume("local-0", folder, "Released")))).toEqual([
        { name: "local-0", folder },
    ]);
});

test.each(["Bound", "Available", "Pending", undefined])("one that is %s is left alone", (phase) => {
    expect(listReclaimable(listed(volume("local-0", folder, phase)))).toEqual([]);
});

test("a volume outside of the node's folders is not emptied", () => {
    const others = [
        volume("a", "/", "Released"),
        volume("b", `${folder}/below`, "Released"),
        volume("c", undefined, "Released"),
    ];
    expect(listReclaimable(listed(...others))).toEqual([]);
    expect(listReclaimable(listed())).toEqual([]);
});
