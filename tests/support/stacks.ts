import { jest } from "@jest/globals";
import * as kubernetes from "@pulumi/kubernetes";
import * as certManager from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import type { Rendering, RenderOptions } from "../../render.ts";

/**
 * Renders a stack. The program loads once into a set of modules, so each rendering gets its own set; the
 * SDKs, which take seconds to load, are kept.
 */
export async function render(options: RenderOptions): Promise<Rendering> {
    jest.resetModules();
    jest.doMock("@pulumi/pulumi", () => pulumi);
    jest.doMock("@pulumi/kubernetes", () => kubernetes);
    jest.doMock("@pulumi/kubernetes-cert-manager", () => certManager);
    const { renderStack } = await import("../../render.ts");
    return renderStack(options);
}
