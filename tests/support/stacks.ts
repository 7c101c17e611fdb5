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

/** Renders a stack, in a set of modules of its own. */
export async function render(options: RenderOptions): Promise<Rendering> {
    beginModules();
    const { renderStack } = await import("../../render.ts");
    return renderStack(options);
}
