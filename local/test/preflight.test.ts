import { describe, expect, test } from "@jest/globals";
import { goProblems, kernelProblems, memoryProblems, platformProblems } from "../src/preflight.ts";

const GIB = 1024 ** 3;

test("a machine that has everything gives no finding", () => {
    expect(platformProblems("linux", 0)).toEqual([]);
    expect(memoryProblems(6 * GIB)).toEqual([]);
    expect(goProblems("go version go1.26.8 linux/amd64")).toEqual([]);
    expect(kernelProblems(() => true)).toEqual([]);
});

describe("a problem names the current value, the required one and the remedy", () => {
    test("another system, another user", () => {
        expect(platformProblems("darwin", 501)).toEqual(["it runs darwin; a node needs Linux"]);
        expect(platformProblems("linux", 1000)).toEqual(["a node needs root: sudo make up"]);
    });

    test("memory", () => {
        expect(memoryProblems(1.5 * GIB)).toEqual(["1.5 GiB of memory are free; 6 GiB are needed"]);
    });

    test("an old compiler", () => {
        expect(goProblems("go version go1.19.8 linux/amd64\n")).toEqual([
            "go version go1.19.8 linux/amd64 is too old: install Go 1.21 or newer",
        ]);
    });

    test("each kernel feature that is absent", () => {
        expect(kernelProblems((file) => file !== "/proc/self/ns/pid")).toEqual([
            "the kernel lacks pid namespaces (CONFIG_PID_NS)",
        ]);
        expect(kernelProblems(() => false)).toHaveLength(4);
    });
});
