import type { Exemption, RuleConfig } from "../core/config.ts";
import type { Admission } from "../core/rule.ts";

/*
 * Rules as CEL expressions of the API server (https://kubernetes.io/docs/reference/using-api/cel/). They see
 * one object, whole and in its newest version, with the server's defaults filled in.
 */

/** Of a pod that a controller makes the server may not have made up the name yet. */
const NAME =
    "(has(object.metadata.name) && object.metadata.name != '' ? object.metadata.name : object.metadata.generateName)";

/** What expressions of all rules begin with, in order; each may use those before it. */
export const VARIABLES: Readonly<Record<string, string>> = {
    isJob: [
        "object.kind in ['Job', 'CronJob']",
        "object.kind == 'Pod' && has(object.spec.restartPolicy) && object.spec.restartPolicy != 'Always'",
    ].join(" || "),
    pod: [
        "object.kind == 'Pod' ? object.spec",
        "object.kind == 'CronJob' ? object.spec.jobTemplate.spec.template.spec",
        "object.spec.template.spec",
    ].join(" : "),
    path: [
        "object.kind == 'Pod' ? 'spec'",
        "object.kind == 'CronJob' ? 'spec.jobTemplate.spec.template.spec'",
        "'spec.template.spec'",
    ].join(" : "),
    inits: "has(variables.pod.initContainers) ? variables.pod.initContainers : []",
    all: "variables.inits + variables.pod.containers",
    lasting:
        "variables.isJob ? [] : variables.inits.filter(c, has(c.restartPolicy) && c.restartPolicy == 'Always') + variables.pod.containers",
    serving: "variables.lasting.filter(c, has(c.ports) && size(c.ports) > 0)",
    label: ["object.kind + ' ' + object.metadata.namespace + '/'", NAME].join(" + "),
};

export interface Expressions {
    /** Containers in which it is violated; only of rules about containers. */
    readonly variables: Readonly<Record<string, string>>;
    /** True when it is not violated. */
    readonly expression: string;
    /** The rule's headlines. */
    readonly message: string;
}

/** @param bad a name for the variable with the containers in which it is violated */
export function expressionsOf(
    { violated, of = "all", what, at }: Admission,
    { exempt, settings }: Pick<RuleConfig, "exempt" | "settings">,
    bad: string,
): Expressions {
    const condition = violated
        .replaceAll(/(?<![.'\w])pod(?=[.)])/g, "variables.pod")
        .replaceAll(/(?<![.'\w])settings\.(\w+)/g, (_, name: string) => literal(settings[name]));
    if (!/(?<![.'\w])c\b/.test(violated)) {
        return {
            variables: {},
            expression: `!(${condition})`,
            message: `variables.label + ${text(`: ${what} (`)} + variables.path + ${text(`.${at})`)}`,
        };
    }
    const notExempt = exempt
        .filter(({ container }) => container !== undefined)
        .map((one) => `!(${covers(one)})`);
    const isBad = [...notExempt, `(${condition})`].join(" && ");
    const list = "(c.name in variables.inits.map(i, i.name) ? '.initContainers[' : '.containers[')";
    const message = [
        "variables.label",
        text(", container "),
        "c.name",
        text(`: ${what} (`),
        "variables.path",
        list,
        "c.name",
        text(`].${at})`),
    ].join(" + ");
    return {
        variables: { [bad]: `variables.${of}.filter(c, ${isBad})` },
        expression: `size(variables.${bad}) == 0`,
        message: `variables.${bad}.map(c, ${message}).join('; ')`,
    };
}

/** Whether an exemption covers an object, or, where it names one, the container `c` of it. */
export function covers({ namespace, workload, container }: Exemption): string {
    const globs = [
        ["object.metadata.namespace", namespace],
        [NAME, workload],
        ["c.name", container],
    ] as const;
    const conditions = globs.flatMap(([of, glob]) =>
        glob === undefined ? [] : [`${of}.matches(${text(pattern(glob))})`],
    );
    return conditions.length === 0 ? "true" : conditions.join(" && ");
}

function pattern(glob: string): string {
    const parts = glob.split("*").map((part) => part.replaceAll(/[^\w-]/g, (one) => `[${one}]`));
    return `^${parts.join(".*")}$`;
}

function literal(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
    if (typeof value === "number") return Number.isInteger(value) ? `${value}` : value.toFixed(6);
    return typeof value === "boolean" ? `${value}` : text(String(value));
}

function text(value: string): string {
    return `'${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
