import { jest } from "@jest/globals";
import * as kubernetes from "@pulumi/kubernetes";
import * as certManager from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import type { Rendering, RenderOptions } from "../../render.ts";

/**
 * The program loads once into a set of modules: this begins a new one. The SDKs, which take seconds to load,
 * are kept.
 */
export function beginModules(): void {
    jest.resetModules();
    jest.doMock("@pulumi/pulumi", () => pulumi);
    jest.doMock("@pulumi/kubernetes", () => kubernetes);
    jest.doMock("@pulumi/kubernetes-cert-manager", () => certManager);
}

const renderings = new Map<string, Promise<Rendering>>();

/** Renders a stack, in a set of modules of its own; the same options once in a test file. */
export function render(options: RenderOptions): Promise<Rendering> {
    const key = JSON.stringify(options);
    const known = renderings.get(key) ?? renderOnce(options);
    renderings.set(key, known);
    return known;
}

async function renderOnce(options: RenderOptions): Promise<Rendering> {
    beginModules();
    const { stackTraceLimit } = Error;
    // Pulumi takes a stack of each resource, a fifth of a rendering's time under Jest's source maps.
    Error.stackTraceLimit = 0;
    try {
        const { renderStack } = await import("../../render.ts");
        return await renderStack(options);
    } finally {
        Error.stackTraceLimit = stackTraceLimit;
    }
}
