import { beforeEach, describe, expect, test } from "@jest/globals";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { findCgroups, hierarchies, makeCgroups, members } from "../../src/node/cgroups.ts";

let root: string;

beforeEach(() => {
    root = makeTemporaryFolder();
});

const at = (...names: string[]) => path.join(root, ...names);

function fill(file: string, text: string): void {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
}

describe("version 2", () => {
    beforeEach(() => {
        fill(at("cgroup.controllers"), "cpu memory");
        mkdirSync(at("system.slice"));
    });

    test("has one hierarchy, regardless of its folders", () => {
        expect(hierarchies(root)).toEqual([root]);
    });

    test("gets one cgroup", () => {
        expect(findCgroups("node", root)).toEqual([]);
        makeCgroups("node", root);
        expect(findCgroups("node", root)).toEqual([at("node")]);
    });
});

describe("version 1", () => {
    beforeEach(() => {
        fill(at("cpuset", "cpuset.cpus"), "0-1\n");
        fill(at("cpuset", "cpuset.mems"), "0\n");
        mkdirSync(at("cpu,cpuacct"));
        symlinkSync("cpu,cpuacct", at("cpu"));
    });

    test("has a hierarchy a controller, and one for those that share it", () => {
        expect(hierarchies(root).sort()).toEqual([at("cpu,cpuacct"), at("cpuset")]);
    });

    test("gives a new cpuset the processors and the memory of its parent", () => {
        makeCgroups("node", root);
        expect(readFileSync(at("cpuset", "node", "cpuset.cpus"), "utf8")).toBe("0-1\n");
        expect(readFileSync(at("cpuset", "node", "cpuset.mems"), "utf8")).toBe("0\n");
        expect(findCgroups("node", root)).toHaveLength(2);
    });
});

test.each([
    ["cgroup.controllers", ["node", "cpu.weight"], 100],
    ["cpu/tasks", ["cpu", "node", "cpu.shares"], 1024],
] as const)("a cgroup weighs as one process per core with %s", (version, names, weight) => {
    fill(at(version), "");
    // The kernel makes the file with the folder.
    fill(at(...names), "0");
    makeCgroups("node", root);
    expect(Number(readFileSync(at(...names), "utf8"))).toBe(weight * availableParallelism());
});

describe("members", () => {
    test("are the processes of a cgroup and of every one below", () => {
        fill(at("node", "cgroup.procs"), "12\n");
        fill(at("node", "pod", "cgroup.procs"), "");
        fill(at("node", "pod", "container", "cgroup.procs"), "34\n56\n");
        expect(members(at("node"))).toEqual([12, 34, 56]);
    });

    test("are none after the cgroup was removed", () => {
        expect(members(at("gone"))).toEqual([]);
    });
});
