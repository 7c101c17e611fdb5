import { cel, matchesAny, message, type Cel } from "../cel/cel.ts";
import { globToRegExp } from "../cel/glob.ts";
import type { Exemption } from "../engine/config.ts";
import type { AdmissionCheck } from "../engine/rule.ts";

/*
 * A rule's expressions in a policy. They see one complete object with the server's defaults.
 */

/** The API server may not have generated the name of a controller's pod yet. */
const NAME = cel`object.metadata.?name.orValue('') != '' ? object.metadata.name : object.metadata.generateName`;

/** Variables of all policies, in order; each may use those before it. */
export const VARIABLES: Readonly<Record<string, Cel>> = {
    name: NAME,
    label: cel`object.kind + ' ' + object.metadata.namespace + '/' + variables.name`,
};

/** Additional variables of policies about pods. */
export const POD_VARIABLES: Readonly<Record<string, Cel>> = {
    isJob: cel`object.kind in ['Job', 'CronJob'] || object.kind == 'Pod' && object.spec.?restartPolicy.orValue('Always') != 'Always'`,
    path: cel`object.kind == 'Pod' ? 'spec' : object.kind == 'CronJob' ? 'spec.jobTemplate.spec.template.spec' : 'spec.template.spec'`,
    pod: cel`object.kind == 'Pod' ? object.spec : object.kind == 'CronJob' ? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec`,
    inits: cel`variables.pod.?initContainers.orValue([])`,
    containers: cel`variables.inits + variables.pod.containers`,
    serving: cel`variables.isJob ? [] : (variables.inits.filter(c, c.?restartPolicy.orValue('') == 'Always') + variables.pod.containers).filter(c, size(c.?ports.orValue([])) > 0)`,
};

/** Creates an expression for the list of violation messages. */
export function violationMessages(
    {
        target = "containers",
        each = {},
        violated = cel`true`,
        message: text,
        path: field,
    }: AdmissionCheck,
    exempt: readonly Exemption[],
): Cel {
    const label = cel`variables.label`;
    const path = cel`variables.path`;
    if (target === "object")
        return buildList(each, violated, message`${label}: ${text} (${field})`);
    if (target === "pod")
        return buildList(each, violated, message`${label}: ${text} (${path}.${field})`);
    const inside = exempt.filter(({ container }) => container !== undefined);
    const containers = inside.reduce(
        (list, one) => cel`${list}.filter(c, !${matchesExemption(one)})`,
        target === "serving" ? cel`variables.serving` : cel`variables.containers`,
    );
    const name = cel`c.name`;
    const list = cel`c.name in variables.inits.map(i, i.name) ? 'initContainers' : 'containers'`;
    const inContainer = message`${label}, container ${name}: ${text} (${path}.${list}[${name}].${field})`;
    return buildList({ c: containers, ...each }, violated, inContainer);
}

function buildList(each: Readonly<Record<string, Cel>>, violated: Cel, message: Cel | string): Cel {
    const [first, ...others] = Object.entries(each);
    if (!first) return cel`${violated} ? [${message}] : []`;
    const [name, list] = first;
    const element = { cel: name };
    if (others.length === 0) {
        return cel`${list}.filter(${element}, ${violated}).map(${element}, ${message})`;
    }
    const inside = buildList(Object.fromEntries(others), violated, message);
    return cel`${list}.map(${element}, ${inside}.join('; ')).filter(text, text != '')`;
}

/** Creates an expression for whether an exemption matches the object and, if it names one, the container `c`. */
export function matchesExemption({ namespace, workload, container }: Exemption): Cel {
    const conditions = [
        namespace !== undefined && matchesAny([namespace], cel`object.metadata.namespace`),
        workload !== undefined && matchesWorkload(workload),
        container !== undefined && matchesAny([container], cel`c.name`),
    ].filter((one) => one !== false);
    return conditions.reduce((all, one) => cel`${all} && ${one}`, cel`true`);
}

/** Objects that belong to an exempt workload have its name with a suffix and are exempt too. */
function matchesWorkload(workload: string): Cel {
    const ownedName = globToRegExp(workload).source.replace(/\$$/, "(-[a-z0-9]+){0,2}-?$");
    const isOwned = cel`has(object.metadata.ownerReferences) && ${NAME}.matches(${ownedName})`;
    return cel`${matchesAny([workload], NAME)} || ${isOwned}`;
}
