import { createRequire } from "node:module";
import path from "node:path";
import type { Json } from "../../../policies/kubernetes/object.ts";
import { installOnce } from "../../shared/install.ts";
import { runOrThrow } from "../../shared/runToEnd.ts";
import type { Checker, Peer, Report } from "../peer.ts";

const VERSION = "0.1.6";
const MANAGER = "@pulumi/compliance-policy-manager";
const POLICIES = "@pulumi/kubernetes-compliance-policies";

/** The used part of @pulumi/policy and @pulumi/compliance-policy-manager. */
interface Policy {
    readonly name: string;
    readonly enforcementLevel?: string;
    readonly validateResource: Validation | readonly Validation[];
}
type Validation = (args: unknown, report: (message: string) => void) => Promise<void> | void;
interface Manager {
    readonly policyManager: {
        readonly selectPolicies: (filter: { vendors: string[] }) => readonly Policy[];
        readonly resetPolicySelector: () => void;
    };
}
interface ResourceClass {
    readonly isInstance?: (resource: { __pulumiType: string }) => boolean;
}

/** All policies, at their default level. */
export const pulumiCompliance: Peer = {
    name: "Pulumi's compliance policies",
    start: async (showProgress): Promise<Checker> => {
        showProgress(`Pulumi's compliance policies ${VERSION} from npm`);
        const folder = await installOnce(`pulumi-compliance-${VERSION}`, async (target) => {
            const packages = [MANAGER, POLICIES].map((name) => `${name}@${VERSION}`);
            const quietly = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts"];
            await runOrThrow("npm", ["install", ...quietly, "--prefix", target, ...packages]);
        });
        const require = createRequire(path.join(folder, "node_modules", "from.cjs"));
        require(POLICIES);
        const { version } = require(`${POLICIES}/package.json`) as { version: string };
        const { policyManager } = require(MANAGER) as Manager;
        policyManager.resetPolicySelector();
        const policies = policyManager.selectPolicies({ vendors: ["kubernetes"] });
        return {
            version,
            rules: policies.length,
            check: async (objects) => {
                const reports: Report[] = [];
                for (const object of objects) {
                    for (const policy of policies)
                        reports.push(...(await validate(policy, object)));
                }
                return reports;
            },
            close: () => undefined,
        };
    },
};

async function validate(policy: Policy, object: Json): Promise<Report[]> {
    const { apiVersion, kind, metadata } = object as {
        apiVersion: string;
        kind: string;
        metadata: { readonly name: string; readonly namespace?: string };
    };
    const type = `kubernetes:${apiVersion.includes("/") ? "" : "core/"}${apiVersion}:${kind}`;
    const isType = ({ isInstance }: ResourceClass) => isInstance?.({ __pulumiType: type }) ?? false;
    const name = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
    const args = {
        ...{ type, props: object, urn: name, name, opts: {}, stackTags: new Map() },
        isType,
        asType: (resource: ResourceClass) => (isType(resource) ? object : undefined),
        getConfig: () => ({}),
        notApplicable: () => undefined,
    };
    const reports: Report[] = [];
    for (const validate of [policy.validateResource].flat() as readonly Validation[]) {
        await validate(args, (message) => {
            const fails = policy.enforcementLevel === "mandatory";
            reports.push({ rule: policy.name, at: `${name}: ${message}`, fails });
        });
    }
    return reports;
}
