import type { Machine } from "../shared/machine.ts";
import { sum, type PeerResult, type Subject, type Tally } from "./comparison.ts";

/** The result as JSON: bench/results/policies.json. */
export interface Result {
    readonly name: "policies";
    readonly finished: string;
    readonly commit: string;
    readonly machine: Machine;
    readonly stack: string;
    readonly mutants: Tally;
    readonly peers: readonly PeerResult[];
    /** Number of objects by name of the subject. */
    readonly stacks: Readonly<Record<string, number>>;
    readonly projects: Readonly<Record<string, number>>;
    /** Reasons for peers that did not take part. */
    readonly missing: readonly string[];
}

export const countObjects = (subjects: readonly Subject[]): Record<string, number> =>
    Object.fromEntries(subjects.map(({ name, objects }) => [name, objects.length]));

/** @returns the Markdown of docs/policies-peers.md */
export function renderPage(result: Result): string {
    const { peers, stacks, projects, missing, machine, commit, finished } = result;
    return [
        "# Comparison with other policy packs",
        "",
        "Written by `make bench-policies`. All packs check the same objects, in one run:",
        `${finished.slice(0, 10)}, commit ${commit}, ${machine.processor}, Node ${machine.node}.`,
        "",
        `- **Mutations** are injected one at a time into the rendered stack \`${result.stack}\`. Each has a rule of this pack that`,
        "  must report it. The list is therefore biased to this pack: the counts show what others cover, not how good",
        "  they are. A mutation counts as caught if a pack reports something that it does not report on the unchanged",
        "  stack; the second row requires that the report fails the run by default.",
        "- **Sound manifests** have no injected mutation: our stacks and the published manifests of other projects. The number",
        "  in brackets counts reports that fail the run. Each report of this pack has its reason in",
        "  `bench/policies/thirdParty/findings.ts`, and a test fails for any other. Reports of other packs are only counted.",
        "- This pack runs with the configuration of our stacks, and without configuration. The others run with their",
        "  defaults, kube-score also with all optional checks. Pulumi's policies are advisory by default. If the registry",
        "  does not serve their npm package, they do not take part, unless they are in the cache already.",
        "- checkov takes seconds per stack, so for a mutation it checks only the changed object and its namespace, without",
        "  other ConfigMaps; it checks each object on its own. The other packs check the whole stack.",
        "- **Seconds** is the duration of the command for the stack's YAML, including its start.",
        "",
        ...tables([
            ["", ...peers.map(({ name }) => name)],
            ...[
                row("version", ({ version }) => version),
                row("rules", ({ rules }) => String(rules)),
                row(`caught, of ${sum(result.mutants)} mutations`, ({ caught }) => share(caught)),
                row("caught, and failed the run", ({ failed }) => share(failed)),
                row(`reports on our ${Object.keys(stacks).length} stacks`, countReports(stacks)),
                row(`reports on ${Object.keys(projects).length} projects`, countReports(projects)),
                row("seconds", ({ seconds }) => seconds?.toFixed(2) ?? "–"),
            ],
        ]),
        ...missing.map((reason) => `${reason}\n`),
        "## Caught mutations by rule",
        "",
        ...tables([
            ["rule", "mutations", ...peers.map(({ name }) => name)],
            ...Object.entries(result.mutants).map(([rule, number]) => [
                `\`${rule}\``,
                String(number),
                ...peers.map(({ caught }) => String(caught[rule] ?? 0)),
            ]),
        ]),
        "## Reports on sound manifests",
        "",
        ...tables([
            ["", "objects", ...peers.map(({ name }) => name)],
            ...Object.entries({ ...stacks, ...projects }).map(([name, objects]) => [
                name,
                String(objects),
                ...peers.map(countReports({ [name]: objects })),
            ]),
        ]),
    ].join("\n");

    function row(name: string, cell: (result: PeerResult) => string): string[] {
        return [name, ...peers.map(cell)];
    }

    function share(tally: Tally): string {
        const [some, all] = [sum(tally), sum(result.mutants)];
        return `${some} (${Math.floor((100 * some) / all)} %)`;
    }

    function countReports(subjects: Readonly<Record<string, number>>) {
        return ({ reported }: PeerResult): string => {
            const counts = Object.keys(subjects).flatMap((name) => reported[name] ?? []);
            const total = (of: "all" | "fail") => counts.reduce((all, one) => all + one[of], 0);
            return `${total("all")} (${total("fail")})`;
        };
    }
}

/** Columns of a table after its first: more do not fit a page. */
const MAX_COLUMNS = 4;

/** @returns the rows as tables one below the other, each with the first column and a part of the others */
function tables(rows: readonly (readonly string[])[]): string[] {
    const columns = (rows[0]?.length ?? 1) - 1;
    const count = Math.ceil(columns / MAX_COLUMNS);
    const size = Math.ceil(columns / count);
    return Array.from({ length: count }, (_, at) => [
        ...table(
            rows.map(([label = "", ...cells]) => [
                label,
                ...cells.slice(at * size, (at + 1) * size),
            ]),
        ),
        "",
    ]).flat();
}

function table([heading = [], ...rows]: readonly (readonly string[])[]): string[] {
    const rule = heading.map((_, at) => (at === 0 ? "---" : "--:"));
    return [heading, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
