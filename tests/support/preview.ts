import * as pulumi from "@pulumi/pulumi";
import type { Json } from "../../policies/kubernetes/object.ts";
import { quietly } from "./stacks.ts";

export interface Previewed {
    readonly type: string;
    readonly urn: string;
    /** As the engine is sent them: what is unknown is the SDK's mark of it. */
    readonly props: Json;
}

interface Request {
    readonly getType: () => string;
    readonly getName: () => string;
    readonly getObject: () => { readonly toJavaScript: () => Json };
}

interface Monitor {
    registerResource: (request: Request, answer: unknown) => void;
}

/**
 * Runs the program of a stack as its first preview does.
 *
 * @param outputs of a resource: its inputs, or all unknown
 */
export async function rawPreview(
    stack: string,
    outputs: "inputs" | "nothing",
): Promise<readonly Previewed[]> {
    const { stackConfig } = await import("../../render/stackConfig.ts");
    const { project, values, secretKeys } = stackConfig(stack, undefined);
    pulumi.runtime.setAllConfig({ ...values }, [...secretKeys]);
    await pulumi.runtime.setMocks(
        {
            newResource: ({ inputs }) => ({
                id: undefined,
                state: outputs === "inputs" ? (inputs as object) : {},
            }),
            call: ({ token }) => {
                throw new Error(`the program calls ${token}`);
            },
        },
        project,
        stack,
        true,
    );
    const previewed: Previewed[] = [];
    // The mocks are handed what is known only.
    const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, answer) => {
        const [type, name] = [request.getType(), request.getName()];
        const urn = `urn:pulumi:${stack}::${project}::${type}::${name}`;
        previewed.push({ type, urn, props: request.getObject().toJavaScript() });
        register(request, answer);
    };
    const { default: declareStack } = await import("../../index.ts");
    await quietly(() => pulumi.runtime.runInPulumiStack(() => Promise.resolve(declareStack())));
    await pulumi.runtime.disconnect();
    return previewed;
}
