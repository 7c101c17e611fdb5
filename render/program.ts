import * as pulumi from "@pulumi/pulumi";
import type { ProgramConfig } from "./stackConfig.ts";

/** A resource that the program declared. */
export interface Registration {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** URN of the parent component; undefined for top-level resources. */
    readonly parent: string | undefined;
    /** Inputs; secret values are instances of Secret. */
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly options: pulumi.ResourceOptions;
}

/** A value that was marked as secret. */
export class Secret {
    readonly value: unknown;

    constructor(value: unknown) {
        this.value = value;
    }
}

/** Marks secrets in the SDK's messages to the engine (pulumi/pulumi, sdk/nodejs/runtime/rpc.ts). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/**
 * Runs the Pulumi program of a stack.
 *
 * @returns the declared resources, in order
 * @throws pulumi.RunError if the stack's config is invalid
 */
export async function runProgram(stack: string, config: ProgramConfig): Promise<Registration[]> {
    pulumi.runtime.setAllConfig({ ...config.values }, [...config.secretKeys]);
    const { default: declareStack } = await import("../index.ts");
    return captureResources(declareStack, config.project, stack);
}

/** Runs code that declares resources with a mock of the engine, and returns the declared resources. */
export async function captureResources(
    declare: () => unknown,
    project = "project",
    stack = "stack",
): Promise<Registration[]> {
    const recorder = new ResourceRecorder(`urn:pulumi:${stack}::${project}::`);
    await pulumi.runtime.setMocks(
        {
            newResource: ({ type, name, inputs }) => {
                recorder.onRegister(type, name, unwrapSecrets(inputs) as Record<string, unknown>);
                // The SDK uses inputs for missing outputs, and logs each response as text: whole objects would take
                // most of the rendering time.
                return { id: name, state: {} };
            },
            call: ({ token }) => {
                throw new Error(
                    `the program calls ${token}, which only Pulumi's engine can answer`,
                );
            },
        },
        project,
        stack,
    );
    let failure: Error | undefined;
    await pulumi.runtime.runInPulumiStack(async () => {
        pulumi.runtime.registerStackTransformation((args) => {
            recorder.onConstruct(args);
            return undefined;
        });
        try {
            await declare();
        } catch (error) {
            // The SDK would reject several promises with it, only one of which is awaited here.
            failure = error instanceof Error ? error : new Error(String(error));
        }
    });
    await pulumi.runtime.disconnect();
    if (failure) throw failure;
    return recorder.registrations;
}

/** Combines the SDK's information on a resource at construction and at registration. */
class ResourceRecorder {
    readonly registrations: Registration[] = [];
    readonly #prefix: string;
    readonly #places = new Map<pulumi.Resource, { qualifiedType: string; urn: string }>();
    readonly #constructed = new Map<string, Pick<Registration, "urn" | "parent" | "options">>();

    constructor(prefix: string) {
        this.#prefix = prefix;
    }

    onConstruct({ resource, type, name, opts }: pulumi.ResourceTransformationArgs): void {
        // The stack is not part of URNs.
        const parent = opts.parent && this.#places.get(opts.parent);
        const qualifiedType = parent ? `${parent.qualifiedType}$${type}` : type;
        const urn = `${this.#prefix}${qualifiedType}::${name}`;
        this.#places.set(resource, { qualifiedType, urn });
        this.#constructed.set(`${type} ${name}`, { urn, parent: parent?.urn, options: opts });
    }

    onRegister(type: string, name: string, inputs: Record<string, unknown>): void {
        const constructed = this.#constructed.get(`${type} ${name}`);
        // The stack itself registers before any transformation and is not a resource of the program.
        if (constructed) this.registrations.push({ type, name, inputs, ...constructed });
    }
}

function unwrapSecrets(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(unwrapSecrets);
    if (typeof value !== "object" || value === null) return value;
    const fields = value as Record<string, unknown>;
    if (fields[SIGNATURE] === SECRET_SIGNATURE) return new Secret(unwrapSecrets(fields.value));
    return Object.fromEntries(
        Object.entries(fields).map(([key, field]) => [key, unwrapSecrets(field)]),
    );
}
