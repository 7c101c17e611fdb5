import { UserError } from "@property-search/contract";
import { Type, type Static, type TObject } from "typebox";
import { Value } from "typebox/value";
import type { Level, Rule } from "./rule.ts";

/** Exempts objects that match all of its globs; each glob is optional and may contain `*`. */
export const Exemption = Type.Object(
    {
        namespace: Type.Optional(Type.String({ description: "glob of namespaces" })),
        workload: Type.Optional(Type.String({ description: "glob of object names" })),
        container: Type.Optional(Type.String({ description: "glob of container names" })),
        reason: Type.String({
            minLength: 10,
            description: "reason, which is shown with every use",
        }),
        expires: Type.String({
            pattern: String.raw`^\d{4}-\d{2}-\d{2}$`,
            description: "last day of validity, YYYY-MM-DD in UTC",
        }),
    },
    { additionalProperties: false },
);
export type Exemption = Static<typeof Exemption>;

/** A stack's configuration of a rule. */
export interface RuleConfig {
    readonly level: Level | "remediate";
    readonly exempt: readonly Exemption[];
    /** The rule's own thresholds, with defaults filled in. */
    readonly settings: Readonly<Record<string, unknown>>;
}

/** Configuration of all rules by name, in the format of `pulumi --policy-pack-config`. */
export type StackPolicies = Readonly<Record<string, unknown>>;

const LEVELS = ["mandatory", "advisory", "disabled", "remediate"] as const;

export class ConfigError extends UserError {}

/** Creates the schema of a rule's exemptions and thresholds. */
export function createSchema(rule: Rule): TObject {
    return Type.Object(
        {
            exempt: Type.Array(Exemption, { default: [], description: "exemptions from the rule" }),
            ...rule.settings,
        },
        { additionalProperties: false },
    );
}

/** @throws ConfigError that names the rule, the field, the value and the allowed values. */
export function parseRuleConfig(rule: Rule, value: unknown = {}): RuleConfig {
    if (isLevel(value)) return parseRuleConfig(rule, { enforcementLevel: value });
    const { enforcementLevel: level = rule.level, ...rest } = asRecord(rule.name, value);
    if (!isLevel(level)) {
        throw new ConfigError(
            `${rule.name}.enforcementLevel is ${JSON.stringify(level)}; allowed: ${LEVELS.join(", ")}`,
        );
    }
    if (level === "remediate" && !rule.remediate) {
        throw new ConfigError(
            `${rule.name}.enforcementLevel is "remediate", but the rule has no safe remediation; allowed: mandatory, advisory, disabled`,
        );
    }
    const schema = createSchema(rule);
    const filled = Value.Default(schema, Value.Clone(rest)) as Record<string, unknown>;
    const errors = Value.Errors(schema, filled).map(({ instancePath, message, params }) => {
        const field = instancePath.slice(1).replaceAll("/", ".");
        const value = JSON.stringify(Value.Pointer.Get(filled, instancePath));
        const allowed = JSON.stringify(params);
        return `${rule.name}${field && `.${field}`} is ${value}; it ${message} (${allowed})`;
    });
    if (errors.length > 0) throw new ConfigError(errors.join("\n"));
    const { exempt, ...settings } = filled as { exempt: readonly Exemption[] };
    for (const [index, { expires }] of exempt.entries()) {
        if (!isDay(expires)) {
            throw new ConfigError(
                `${rule.name}.exempt.${index}.expires is "${expires}"; allowed: a day, as YYYY-MM-DD`,
            );
        }
    }
    return { level, exempt, settings };
}

/** @throws ConfigError also for an unknown rule. */
export function parseStackPolicies(
    rules: readonly Rule[],
    policies: StackPolicies,
): ReadonlyMap<Rule, RuleConfig> {
    const unknown = Object.keys(policies).filter(
        (name) => !rules.some((rule) => rule.name === name),
    );
    if (unknown.length > 0) {
        const names = rules.map(({ name }) => name).join(", ");
        throw new ConfigError(`unknown rule ${unknown.join(", ")}; allowed: ${names}`);
    }
    return new Map(rules.map((rule) => [rule, parseRuleConfig(rule, policies[rule.name])]));
}

/** Date.parse accepts 31 February as 3 March. */
function isDay(text: string): boolean {
    const time = Date.parse(`${text}T00:00:00Z`);
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function isLevel(value: unknown): value is (typeof LEVELS)[number] {
    return LEVELS.some((level) => level === value);
}

function asRecord(name: string, value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        return value as Readonly<Record<string, unknown>>;
    }
    throw new ConfigError(
        `${name} is ${JSON.stringify(value)}; allowed: a level (${LEVELS.join(", ")}) or an object`,
    );
}
