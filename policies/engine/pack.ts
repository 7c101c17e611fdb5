import type { Policies, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { resourceToObjects } from "../kubernetes/object.ts";
import { getPod } from "../kubernetes/pods.ts";
import { PackSession } from "./packSession.ts";
import { createConfigSchema } from "./configSchema.ts";
import { describeExpiry } from "./exemptions.ts";
import { fillMissing } from "./fillMissing.ts";
import type { Rule } from "./rule.ts";
import type { RuleExemption } from "./run.ts";

/** Converts rules to policies of Pulumi's SDK, and adds two policies for their exemptions. */
export function toPulumiPolicies(rules: readonly Rule[], now?: () => Date): Policies {
    const session = new PackSession(now);
    const policies = rules.map((rule) =>
        rule.scope === "object"
            ? createObjectPolicy(rule, session)
            : createStackPolicy(rule, session),
    );
    // Last, since the SDK runs policies in order and these report on all exemptions.
    return [...policies, ...createExemptionPolicies(session)];
}

function createObjectPolicy(rule: Rule, session: PackSession): ResourceValidationPolicy {
    const { remediate } = rule;
    return {
        ...policyMetadata(rule),
        validateResource(args, report) {
            session.recordDeclaration(args.urn, args.props);
            const objects = resourceToObjects(args.type, args.props, args.urn);
            if (objects.length === 0) args.notApplicable("it applies to Kubernetes objects only");
            session.check(rule, args.getConfig(), objects, report);
        },
        ...(remediate && {
            remediateResource(args) {
                const { exempt, settings } = session.configFor(rule, args.getConfig());
                const hasChanged = fillMissing(args.props, (props) => {
                    for (const object of resourceToObjects(args.type, props, args.urn)) {
                        const pod = getPod(object);
                        // Fields that a Patch omits may already be set.
                        if (!pod || object.isPatch || session.isExempt(pod, exempt)) continue;
                        remediate(pod, settings as never);
                    }
                });
                return hasChanged ? args.props : undefined;
            },
        }),
    };
}

function createStackPolicy(rule: Rule, session: PackSession): StackValidationPolicy {
    return {
        ...policyMetadata(rule),
        validateStack(args, report) {
            const objects = args.resources
                .filter(({ urn }) => !session.isRemoved(urn))
                .flatMap(({ type, props, urn }) =>
                    resourceToObjects(type, session.declaredProps(urn, props), urn),
                );
            session.check(rule, args.getConfig(), objects, report);
        },
    };
}

function policyMetadata(rule: Rule) {
    const { name, title, severity, level, url, framework, remediate, admission, scope } = rule;
    const steps = [
        "Apply the text under Fix in the violation to the manifest.",
        ...(remediate
            ? ['The enforcement level "remediate" sets missing fields automatically.']
            : []),
        'If a workload cannot comply, add it to the rule\'s "exempt" with a reason and an expiry date.',
    ];
    return {
        name,
        description: title,
        displayName: toDisplayName(name),
        severity,
        enforcementLevel: level,
        url,
        remediationSteps: steps.join(" "),
        tags: [
            "kubernetes",
            scope === "object" ? "single-object" : "whole-stack",
            ...(remediate ? ["remediation"] : []),
            ...(admission ? ["admission"] : []),
        ],
        configSchema: createConfigSchema(rule),
        ...(framework && { framework: { ...framework } }),
    };
}

function createExemptionPolicies(session: PackSession): StackValidationPolicy[] {
    return [
        createReportPolicy({
            name: "exemptions",
            description: "Lists all exemptions in use, with reason and expiry date.",
            enforcementLevel: "advisory",
            severity: "low",
            remediationSteps:
                "Fix the violation, and remove the exemption from the stack's policies.",
            lines: () => [
                ...session.usedExemptions.map(
                    (one) => `${formatExemption(one, "is valid until")} (${one.places.join("; ")})`,
                ),
                ...session.unusedExemptions.map((one) =>
                    formatExemption(one, "matched nothing; valid until"),
                ),
                ...session.expiringExemptions.map((one) =>
                    formatExemption(one, describeExpiry(one.exemption, session.now)),
                ),
            ],
        }),
        createReportPolicy({
            name: "expired-exemptions",
            description: "No exemption is used after its expiry date.",
            enforcementLevel: "mandatory",
            severity: "medium",
            remediationSteps:
                "Fix the violation and remove the exemption from the stack's policies, or set a new expiry date.",
            lines: () => session.expiredExemptions.map((one) => formatExemption(one, "expired on")),
        }),
    ];
}

/** Creates a policy that reports lines about the whole run, if there are any. */
function createReportPolicy({
    lines,
    ...about
}: Omit<StackValidationPolicy, "validateStack"> & {
    readonly lines: () => readonly string[];
}): StackValidationPolicy {
    return {
        ...about,
        displayName: toDisplayName(about.name),
        tags: ["kubernetes", "whole-stack"],
        validateStack(_, report) {
            const all = lines();
            if (all.length > 0) report(all.join("\n"));
        },
    };
}

function formatExemption({ rule, exemption }: RuleExemption, state: string): string {
    const { namespace = "*", workload = "*", container = "*", expires, reason } = exemption;
    const place = `${namespace}/${workload}, container ${container}`;
    return `${rule.name} for ${place} ${state} ${expires}: ${reason}`;
}

function toDisplayName(name: string): string {
    return `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll("-", " ")}`;
}
