import {
    Secret,
    UnknownValueError,
    unknownCheckingProxy,
    type EnforcementLevel,
    type Policies,
    type PolicyResourceOptions,
    type ResourceValidationArgs,
} from "@pulumi/policy";
import { secretsPreservingProxy } from "@pulumi/policy/secret.js";
import * as serialization from "@pulumi/policy/deserialize.js";
import type { Json } from "../../kubernetes/object.ts";

/** A resource's inputs; secrets among them are marked by the SDK's `Secret`. */
export interface Resource {
    readonly type: string;
    readonly urn: string;
    readonly props: Json;
}

export interface ReportedViolation {
    readonly policy: string;
    readonly level: EnforcementLevel;
    readonly message: string;
    readonly urn?: string;
}

type Config = Readonly<Record<string, Json>>;

/** Not declared by the SDK, though exported. */
const proxy = unknownCheckingProxy as (props: Json) => Record<string, unknown>;
const readable = secretsPreservingProxy as (props: Json) => Json;
const { serializeProperties } = serialization as unknown as {
    serializeProperties: (props: object) => Promise<Json>;
};

class NotApplicable extends Error {}

/** What the SDK's server does with policies when the engine asks it (@pulumi/policy/server.js), without the wire. */
export function serve(policies: Policies, config: Config = {}) {
    return {
        analyze: async (resource: Resource) => {
            const reported: ReportedViolation[] = [];
            for (const policy of policies) {
                if (!("validateResource" in policy)) continue;
                const { validateResource } = policy;
                if (typeof validateResource !== "function") continue;
                const args = argsOf(policy.name, resource, proxy(revealed(resource.props)));
                await runPolicy(policy.name, reported, (report) => validateResource(args, report));
            }
            return reported;
        },
        analyzeStack: async (resources: readonly Resource[]) => {
            const reported: ReportedViolation[] = [];
            for (const policy of policies) {
                if (!("validateStack" in policy)) continue;
                const args = {
                    resources: resources.map((resource) => ({
                        ...argsOf(policy.name, resource, proxy(revealed(resource.props))),
                        dependencies: [],
                        propertyDependencies: {},
                    })),
                    stackTags: new Map<string, string>(),
                    getConfig: getConfig(policy.name),
                    notApplicable,
                };
                // An arrow of the test's own: the policy's has no `this`.
                const run = policy.validateStack.bind(policy);
                // The SDK declares outputs here, and gives what is analysed.
                await runPolicy(policy.name, reported, (report) => run(args as never, report));
            }
            return reported;
        },
        /** @returns what the engine gets from each remediation that changed something */
        remediate: async (resource: Resource) => {
            const changed: Json[] = [];
            let props = proxy(readable(resource.props));
            for (const policy of policies) {
                if (!("remediateResource" in policy) || levelOf(policy.name) !== "remediate") {
                    continue;
                }
                const args = argsOf(policy.name, resource, props);
                const { remediateResource } = policy;
                const result = await remediateResource(args);
                if (!result) continue;
                props = result;
                changed.push(await serializeProperties(result));
            }
            return changed;
        },
    };

    async function runPolicy(
        policy: string,
        reported: ReportedViolation[],
        run: (report: (message: string, urn?: string) => void) => Promise<void> | void,
    ): Promise<void> {
        try {
            await run((message, urn) => {
                reported.push({ policy, level: levelOf(policy), message, ...(urn && { urn }) });
            });
        } catch (error) {
            if (error instanceof NotApplicable) return;
            if (!(error instanceof UnknownValueError)) throw error;
            reported.push({ policy, level: "advisory", message: (error as Error).message });
        }
    }

    function levelOf(name: string): EnforcementLevel {
        const { enforcementLevel } = config[name] ?? {};
        const own = policies.find((policy) => policy.name === name)?.enforcementLevel;
        return (enforcementLevel as EnforcementLevel | undefined) ?? own ?? "advisory";
    }

    function getConfig(name: string) {
        const rest = { ...config[name] };
        delete rest.enforcementLevel;
        return () => rest as never;
    }

    function argsOf(
        policy: string,
        { type, urn }: Resource,
        props: Record<string, unknown>,
    ): ResourceValidationArgs {
        return {
            type,
            urn,
            props,
            name: urn.split("::").at(-1) ?? "",
            opts: {} as PolicyResourceOptions,
            stackTags: new Map(),
            isType: () => false,
            asType: () => undefined,
            getConfig: getConfig(policy),
            notApplicable,
        };
    }
}

/** As Pulumi names its type; its kind and version are no inputs that one must give. */
export function resourceOf({ apiVersion, kind, ...props }: Json, suffix = ""): Resource {
    const group = String(apiVersion);
    const version = group.includes("/") ? group : `core/${group}`;
    const type = `kubernetes:${version}:${String(kind)}${suffix}`;
    const { name = "some" } = (props.metadata ?? {}) as { readonly name?: string };
    return { type, urn: `urn:pulumi:dev::project::${type}::${name}`, props };
}

/** As policies see them that only validate: secrets are plain values. */
function revealed(value: Json): Json {
    // Through JSON, so that nothing is shared with the resource.
    return JSON.parse(
        JSON.stringify(value, (_, one: unknown) =>
            one instanceof Secret ? (one.value as unknown) : one,
        ),
    ) as Json;
}

/** A secret on the wire, and in what a provider gets (specialSigKey and specialSecretSig of @pulumi/pulumi). */
export function secretly(value: unknown): Json {
    return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

function notApplicable(reason?: string): never {
    throw new NotApplicable(reason);
}
