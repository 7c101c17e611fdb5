import { expect, test } from "@jest/globals";
import { KUBELET_DISK } from "../../src/node/configuration.ts";

test("no state of the disk makes the kubelet collect images or evict pods", () => {
    // The kubelet's own rule for "never": 100 with no maximum age; and 0 % for a signal.
    expect(KUBELET_DISK.imageGCHighThresholdPercent).toBe(100);
    expect(KUBELET_DISK).not.toHaveProperty("imageMaximumGCAge");
    const { "memory.available": memory, ...disk } = KUBELET_DISK.evictionHard;
    expect(memory).toBe("200Mi");
    expect(new Set(Object.values(disk))).toEqual(new Set(["0%"]));
    expect(Object.keys(disk).sort()).toEqual([
        "imagefs.available",
        "imagefs.inodesFree",
        "nodefs.available",
        "nodefs.inodesFree",
    ]);
});
