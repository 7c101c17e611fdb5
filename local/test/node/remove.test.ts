import { expect, test } from "@jest/globals";
import { listMounts, stateFolderIn } from "../../src/node/remove.ts";

const MOUNTINFO = `\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:24 / /cache/node-state rw - tmpfs tmpfs rw
31 22 0:25 / /cache/node-state/kubelet/pods/a\\040b rw - tmpfs tmpfs rw
32 22 0:26 / /cache/node-state-of-another rw - tmpfs tmpfs rw
`;

test("mounts of the node's folder are found, and not those of its neighbours", () => {
    expect(listMounts("/cache/node-state", MOUNTINFO)).toEqual([
        "/cache/node-state",
        "/cache/node-state/kubelet/pods/a b",
    ]);
});

test("a machine without such mounts has none", () => {
    expect(listMounts("/elsewhere", MOUNTINFO)).toEqual([]);
    expect(listMounts("/elsewhere", "")).toEqual([]);
});

test.each([
    [
        "containerd -c /a/property-search/node-state/containerd.toml",
        "/a/property-search/node-state",
    ],
    [
        "kubelet --config=/b/property-search/node-state/kubelet.yaml",
        "/b/property-search/node-state",
    ],
    ["/a/node-state-of-another/kubelet", undefined],
    ["redis-server *:6379", undefined],
])("the state folder that %s runs with is %s", (command, folder) => {
    expect(stateFolderIn(command)).toBe(folder);
});
