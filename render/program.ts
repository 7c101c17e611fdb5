import * as pulumi from "@pulumi/pulumi";
import type { ProgramConfig } from "./stackConfig.ts";

/** One resource that the program declared. */
export interface Registration {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** URN of the component that it belongs to; undefined for what the program itself declares. */
    readonly parent: string | undefined;
    /** Inputs; a secret is a Secret. */
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly options: pulumi.ResourceOptions;
}

/** A value that was secret when it reached the engine. */
export class Secret {
    readonly value: unknown;

    constructor(value: unknown) {
        this.value = value;
    }
}

/** Marks a secret in what the SDK sends to the engine (pulumi/pulumi, sdk/nodejs/runtime/rpc.ts). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/**
 * Runs the Pulumi program of a stack: everything that it declares, in the order in which it does.
 *
 * @throws pulumi.RunError when the stack's config is wrong.
 */
export async function runProgram(stack: string, config: ProgramConfig): Promise<Registration[]> {
    pulumi.runtime.setAllConfig({ ...config.values }, [...config.secretKeys]);
    const { default: declareStack } = await import("../index.ts");
    return record(declareStack, config.project, stack);
}

/** Runs code that declares resources against a double of the engine, and returns what it declared. */
export async function record(
    declare: () => unknown,
    project = "project",
    stack = "stack",
): Promise<Registration[]> {
    const recorder = new Recorder(`urn:pulumi:${stack}::${project}::`);
    await pulumi.runtime.setMocks(
        {
            newResource: ({ type, name, inputs }) => {
                recorder.declared(type, name, openSecrets(inputs) as Record<string, unknown>);
                // The SDK takes outputs that are missing from the inputs, and logs each answer as text: of whole
                // objects that is most of a rendering's time.
                return { id: name, state: {} };
            },
            call: ({ token }) => {
                throw new Error(
                    `the program calls ${token}, to which only an engine has an answer`,
                );
            },
        },
        project,
        stack,
    );
    let failure: Error | undefined;
    await pulumi.runtime.runInPulumiStack(async () => {
        pulumi.runtime.registerStackTransformation((args) => {
            recorder.constructed(args);
            return undefined;
        });
        try {
            await declare();
        } catch (error) {
            // The SDK would reject several promises with it, of which we hold but one.
            failure = error instanceof Error ? error : new Error(String(error));
        }
    });
    await pulumi.runtime.disconnect();
    if (failure) throw failure;
    return recorder.registrations;
}

/** Puts together what the SDK tells of a resource when it is constructed, and when it is registered. */
class Recorder {
    readonly registrations: Registration[] = [];
    readonly #prefix: string;
    readonly #places = new Map<pulumi.Resource, { qualifiedType: string; urn: string }>();
    readonly #constructed = new Map<string, Pick<Registration, "urn" | "parent" | "options">>();

    constructor(prefix: string) {
        this.#prefix = prefix;
    }

    constructed({ resource, type, name, opts }: pulumi.ResourceTransformationArgs): void {
        // The stack has no place, and is nobody's parent in a URN.
        const parent = opts.parent && this.#places.get(opts.parent);
        const qualifiedType = parent ? `${parent.qualifiedType}$${type}` : type;
        const urn = `${this.#prefix}${qualifiedType}::${name}`;
        this.#places.set(resource, { qualifiedType, urn });
        this.#constructed.set(`${type} ${name}`, { urn, parent: parent?.urn, options: opts });
    }

    declared(type: string, name: string, inputs: Record<string, unknown>): void {
        const constructed = this.#constructed.get(`${type} ${name}`);
        // The stack itself registers before any transformation, and is no resource of the program.
        if (constructed) this.registrations.push({ type, name, inputs, ...constructed });
    }
}

function openSecrets(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(openSecrets);
    if (typeof value !== "object" || value === null) return value;
    const fields = value as Record<string, unknown>;
    if (fields[SIGNATURE] === SECRET_SIGNATURE) return new Secret(openSecrets(fields.value));
    return Object.fromEntries(
        Object.entries(fields).map(([key, field]) => [key, openSecrets(field)]),
    );
}
