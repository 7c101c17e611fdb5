import { expect, test } from "@jest/globals";
import { commandsOf, PAGES, type DocCommand } from "../support/docs/commands.ts";
import { render } from "../support/stacks.ts";

/** Kinds by the names that kubectl takes, as far as pages use them; undefined: the cluster's own. */
const KINDS: Readonly<Record<string, string | undefined>> = {
    ...{ deploy: "Deployment", deployment: "Deployment", statefulset: "StatefulSet" },
    ...{ svc: "Service", service: "Service", job: "Job", jobs: "Job", cronjob: "CronJob" },
    ...{ gateway: "Gateway", httproute: "HTTPRoute", scaledobject: "ScaledObject" },
    ...{ secret: "Secret", certificate: "Certificate", pdb: "PodDisruptionBudget" },
    quota: "ResourceQuota",
};
/** What controllers, or the cluster, create. */
const OTHERS = new Set(
    "pod pods nodes events hpa storageclass endpointslices pvc order challenge certificaterequest".split(
        " ",
    ),
);
/** Namespaces and objects that are not of the stack `prod`. */
const OUTSIDE = new Set([
    ...["cert-manager", "NAMESPACE", "traefik", "keda", "property-search-deploy"],
    // Of a deploy by apply, and of `make up`.
    ...["stack-prod", "alert-receiver"],
]);

const COMMANDS = PAGES.flatMap(commandsOf).filter(
    ({ words }) => words[0] === "kubectl" && words.length > 3 && words[1] !== "config",
);

test("kubectl commands name kinds, namespaces, objects and labels of the stack", async () => {
    const { manifests } = await render({ stack: "prod" });
    const names = new Set(manifests.map(({ metadata }) => metadata.name));
    const kinds = new Set(manifests.map(({ kind }) => kind));
    const labels = new Set(
        manifests.flatMap((manifest) =>
            [
                ...JSON.stringify(manifest).matchAll(/"(app\.kubernetes\.io\/[\w-]+)":"([^"]+)"/g),
            ].map(([, key = "", value = ""]) => `${key}=${value}`),
        ),
    );
    const isKnown = (name: string) =>
        // A pod of a StatefulSet has its name and a number.
        names.has(name) || names.has(name.replace(/-\d+$/, "")) || OUTSIDE.has(name);

    const wrong = COMMANDS.flatMap((command) => {
        const { namespace, kindNames, objects, label } = partsOf(command);
        const faults = [
            namespace !== undefined && !isKnown(namespace) && `namespace ${namespace}`,
            label !== undefined && !labels.has(label) && `label ${label}`,
            ...kindNames.map((kind) => {
                const isOurs = kinds.has(KINDS[kind] ?? "");
                return !isOurs && !OTHERS.has(kind) && `kind ${kind}`;
            }),
            ...objects.map((object) => !isKnown(object) && `object ${object}`),
        ];
        return faults
            .filter(Boolean)
            .map((fault) => `${command.page}: ${command.text}: ${String(fault)}`);
    });
    expect(wrong).toEqual([]);
    expect(COMMANDS.length).toBeGreaterThan(30);
});

/** Flags of kubectl that have a value. */
const WITH_VALUE = new Set(["-n", "-l", "-o", "-c", "--tail", "--sort-by"]);

function partsOf({ words }: DocCommand) {
    const flags = new Map<string, string>();
    const rest: string[] = [];
    for (let at = 1; at < words.length; at++) {
        const word = words[at] ?? "";
        if (word === "--") break;
        if (WITH_VALUE.has(word)) flags.set(word, words[++at] ?? "");
        else if (!word.startsWith("-")) rest.push(word);
    }
    // What changes a pod is named after its action: `rollout undo`, `set env`. An annotation is set by = or removed by -.
    const [verb = "", ...args] = rest.filter(
        (word) => !/^(undo|history|status|env)$|=|-$/.test(word),
    );
    const [first = "", ...more] = args;
    const [kind = "", object] = first.split("/");
    const hasKind =
        object !== undefined || /^(get|describe|delete|create|top|scale|annotate)$/.test(verb);
    // A port, or a name that the reader gives.
    const objects = (hasKind ? [object ?? "", ...more] : args).filter(
        (name) => name !== "" && !/^\d+$|^[A-Z]+$|^insights-daily-/.test(name),
    );
    return {
        namespace: flags.get("-n"),
        label: flags.get("-l"),
        kindNames: hasKind ? kind.split(",") : [],
        objects,
    };
}
