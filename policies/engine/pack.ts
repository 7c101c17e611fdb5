import type { Policies, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { objectsOfResource } from "../kubernetes/object.ts";
import { podOf } from "../kubernetes/pods.ts";
import { Asked } from "./asked.ts";
import { configSchemaOf } from "./configSchema.ts";
import { ending } from "./exemptions.ts";
import { fill } from "./remedy.ts";
import type { Rule } from "./rule.ts";
import type { SetExemption } from "./run.ts";

/** Converts rules to policies of Pulumi's SDK, and adds two policies for their exemptions. */
export function policiesOf(rules: readonly Rule[], now?: () => Date): Policies {
    const session = new Asked(now);
    const policies = rules.map((rule) =>
        rule.scope === "object" ? objectPolicy(rule, session) : stackPolicy(rule, session),
    );
    // Last, since the SDK runs policies in order and these report on all exemptions.
    return [...policies, ...exemptionPolicies(session)];
}

function objectPolicy(rule: Rule, session: Asked): ResourceValidationPolicy {
    const { remedy } = rule;
    return {
        ...about(rule),
        validateResource(args, report) {
            session.declare(args.urn, args.props);
            const objects = objectsOfResource(args.type, args.props, args.urn);
            if (objects.length === 0) args.notApplicable("it applies to Kubernetes objects only");
            session.ask(rule, args.getConfig(), objects, report);
        },
        ...(remedy && {
            remediateResource(args) {
                const { exempt, settings } = session.config(rule, args.getConfig());
                const hasChanged = fill(args.props, (props) => {
                    for (const object of objectsOfResource(args.type, props, args.urn)) {
                        const pod = podOf(object);
                        // Fields that a Patch omits may already be set.
                        if (!pod || object.isPatch || session.isExempt(pod, exempt)) continue;
                        remedy(pod, settings as never);
                    }
                });
                return hasChanged ? args.props : undefined;
            },
        }),
    };
}

function stackPolicy(rule: Rule, session: Asked): StackValidationPolicy {
    return {
        ...about(rule),
        validateStack(args, report) {
            const objects = args.resources.flatMap(({ type, props, urn }) =>
                objectsOfResource(type, session.declared(urn, props), urn),
            );
            session.ask(rule, args.getConfig(), objects, report);
        },
    };
}

function about(rule: Rule) {
    const { name, title, severity, level, url, framework, remedy, admission, scope } = rule;
    const steps = [
        "Apply the text under Fix in the violation to the manifest.",
        ...(remedy
            ? ['The enforcement level "remediate" sets missing fields automatically.']
            : []),
        'If a workload cannot comply, add it to the rule\'s "exempt" with a reason and an expiry date.',
    ];
    return {
        name,
        description: title,
        displayName: displayed(name),
        severity,
        enforcementLevel: level,
        url,
        remediationSteps: steps.join(" "),
        tags: [
            "kubernetes",
            scope === "object" ? "single-object" : "whole-stack",
            ...(remedy ? ["remediation"] : []),
            ...(admission ? ["admission"] : []),
        ],
        configSchema: configSchemaOf(rule),
        ...(framework && { framework: { ...framework } }),
    };
}

function exemptionPolicies(session: Asked): StackValidationPolicy[] {
    return [
        told({
            name: "exemptions",
            description: "Lists all exemptions in use, with reason and expiry date.",
            enforcementLevel: "advisory",
            severity: "low",
            remediationSteps: "Fix the violation, and remove the exemption from the stack's policies.",
            lines: () => [
                ...session.used.map(
                    (one) => `${line(one, "is valid until")} (${one.places.join("; ")})`,
                ),
                ...session.unused.map((one) => line(one, "matched nothing; valid until")),
                ...session.ending.map((one) => line(one, ending(one.exemption, session.now))),
            ],
        }),
        told({
            name: "expired-exemptions",
            description: "No exemption is used after its expiry date.",
            enforcementLevel: "mandatory",
            severity: "medium",
            remediationSteps:
                "Fix the violation and remove the exemption from the stack's policies, or set a new expiry date.",
            lines: () => session.expired.map((one) => line(one, "expired on")),
        }),
    ];
}

/** Creates a policy that reports lines about the whole run, if there are any. */
function told({
    lines,
    ...about
}: Omit<StackValidationPolicy, "validateStack"> & {
    readonly lines: () => readonly string[];
}): StackValidationPolicy {
    return {
        ...about,
        displayName: displayed(about.name),
        tags: ["kubernetes", "whole-stack"],
        validateStack(_, report) {
            const all = lines();
            if (all.length > 0) report(all.join("\n"));
        },
    };
}

function line({ rule, exemption }: SetExemption, state: string): string {
    const { namespace = "*", workload = "*", container = "*", expires, reason } = exemption;
    const place = `${namespace}/${workload}, container ${container}`;
    return `${rule.name} for ${place} ${state} ${expires}: ${reason}`;
}

function displayed(name: string): string {
    return `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll("-", " ")}`;
}
