import type { Policies, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { objectsOfResource } from "../kubernetes/object.ts";
import { podOf } from "../kubernetes/pods.ts";
import { Asked } from "./asked.ts";
import { configSchemaOf } from "./configSchema.ts";
import { ending } from "./exemptions.ts";
import { fill } from "./remedy.ts";
import type { Rule } from "./rule.ts";
import type { SetExemption } from "./run.ts";

/** Rules as policies of Pulumi's SDK, and two policies of their exemptions. */
export function policiesOf(rules: readonly Rule[], now?: () => Date): Policies {
    const asked = new Asked(now);
    const policies = rules.map((rule) =>
        rule.scope === "object" ? objectPolicy(rule, asked) : stackPolicy(rule, asked),
    );
    // Last, since the SDK asks policies in their order: by then every exemption has been met.
    return [...policies, ...exemptionPolicies(asked)];
}

function objectPolicy(rule: Rule, asked: Asked): ResourceValidationPolicy {
    const { remedy } = rule;
    return {
        ...about(rule),
        validateResource(args, report) {
            asked.declare(args.urn, args.props);
            const objects = objectsOfResource(args.type, args.props, args.urn);
            if (objects.length === 0) args.notApplicable("it is asked of Kubernetes objects");
            asked.ask(rule, args.getConfig(), objects, report);
        },
        ...(remedy && {
            remediateResource(args) {
                const { exempt, settings } = asked.config(rule, args.getConfig());
                const wrote = fill(args.props, (props) => {
                    for (const object of objectsOfResource(args.type, props, args.urn)) {
                        const pod = podOf(object);
                        // What a Patch leaves out may well be set.
                        if (!pod || object.isPatch || asked.isExempt(pod, exempt)) continue;
                        remedy(pod, settings as never);
                    }
                });
                return wrote ? args.props : undefined;
            },
        }),
    };
}

function stackPolicy(rule: Rule, asked: Asked): StackValidationPolicy {
    return {
        ...about(rule),
        validateStack(args, report) {
            const objects = args.resources.flatMap(({ type, props, urn }) =>
                objectsOfResource(type, asked.declared(urn, props), urn),
            );
            asked.ask(rule, args.getConfig(), objects, report);
        },
    };
}

function about(rule: Rule) {
    const { name, title, severity, level, url, framework, remedy, admission, scope } = rule;
    const steps = [
        "Write what stands under Fix in the violation into the manifest.",
        ...(remedy
            ? ['With the enforcement level "remediate" it is written wherever nothing is set.']
            : []),
        'What cannot comply gets an entry in the rule\'s "exempt", with a reason and a last day.',
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

function exemptionPolicies(asked: Asked): StackValidationPolicy[] {
    return [
        told({
            name: "exemptions",
            description: "What rules are not asked of is told, with why and for how long.",
            enforcementLevel: "advisory",
            severity: "low",
            remediationSteps: "Comply, and take the exemption out of the stack's policies.",
            lines: () => [
                ...asked.used.map(
                    (one) => `${line(one, "holds until")} (${one.places.join("; ")})`,
                ),
                ...asked.unused.map((one) => line(one, "matched nothing; it holds until")),
                ...asked.ending.map((one) => line(one, ending(one.exemption, asked.now))),
            ],
        }),
        told({
            name: "expired-exemptions",
            description: "No exemption outlives its day.",
            enforcementLevel: "mandatory",
            severity: "medium",
            remediationSteps:
                "Comply, and take the exemption out of the stack's policies; or decide on a new day.",
            lines: () => asked.expired.map((one) => line(one, "expired on")),
        }),
    ];
}

/** A policy that tells some lines of the whole run, if there are any. */
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
    return `${rule.name} of ${place} ${state} ${expires}: ${reason}`;
}

function displayed(name: string): string {
    return `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll("-", " ")}`;
}
