import type { Machine } from "../shared/machine.ts";
import { sum, type Standing, type Subject, type Tally } from "./contest.ts";

/** The whole result: bench/results/policies.json. */
export interface Result {
    readonly name: "policies";
    readonly finished: string;
    readonly commit: string;
    readonly machine: Machine;
    readonly stack: string;
    readonly mutants: Tally;
    readonly standings: readonly Standing[];
    /** Objects, by the subject's name. */
    readonly stacks: Readonly<Record<string, number>>;
    readonly projects: Readonly<Record<string, number>>;
    /** Who did not take part, and why. */
    readonly missing: readonly string[];
}

export const objectsIn = (subjects: readonly Subject[]): Record<string, number> =>
    Object.fromEntries(subjects.map(({ name, objects }) => [name, objects.length]));

/** docs/policies-peers.md. */
export function page(result: Result): string {
    const { standings, stacks, projects, missing, machine, commit, finished } = result;
    return [
        "# The policy pack beside others",
        "",
        "Written by `make bench-policies`: one run, in which everybody is shown the same objects.",
        `${finished.slice(0, 10)}, commit ${commit}, ${machine.processor}, Node ${machine.node}.`,
        "",
        `- **Faults** are single ones, made in the rendered stack \`${result.stack}\`: each is there alone, and a rule of the pack claims it.`,
        "  So the list is the pack's own: how much others catch of it tells what they look at, not how good they are.",
        "  Caught is a fault of which somebody says something that they do not say of the stack without it;",
        "  in the second row it also fails the run by default.",
        "- **Sound** is what nobody has broken: our stacks, and the manifests that other projects publish.",
        "  Behind what is said, in brackets, is how much of it fails the run. Each of these is false, or right for a",
        "  reason: `bench/policies/thirdParty/findings.ts` has one for each of the pack's, and a test fails for any other.",
        "  What the others say is counted, not judged.",
        "- The pack is asked as its stacks set it, and with nothing set; the others as they come, kube-score also with every",
        "  optional check. Pulumi's policies advise where nobody sets a level. They are a package of npm; where a registry does",
        "  not serve it they do not take part, or, put into the cache by hand, tell the commit that they are of.",
        "- checkov takes seconds for a stack, so of a mutant it is shown the broken object and those of its namespace, without other",
        "  ConfigMaps: it looks at each object by itself. Everybody else is shown all of it.",
        "- **Seconds** are the command's over the stack's YAML, its start included.",
        "",
        ...table([
            ["", ...standings.map(({ name }) => name)],
            ...[
                row("version", ({ version }) => version),
                row("rules", ({ rules }) => String(rules)),
                row(`caught, of ${sum(result.mutants)} faults`, ({ caught }) => share(caught)),
                row("caught so that the run fails", ({ failed }) => share(failed)),
                row(`said of our ${Object.keys(stacks).length} stacks`, saidOf(stacks)),
                row(`said of ${Object.keys(projects).length} projects`, saidOf(projects)),
                row("seconds", ({ seconds }) => seconds?.toFixed(2) ?? "–"),
            ],
        ]),
        "",
        ...missing.map((why) => `${why}\n`),
        "## By the rule that claims the fault",
        "",
        ...table([
            ["rule", "faults", ...standings.map(({ name }) => name)],
            ...Object.entries(result.mutants).map(([rule, number]) => [
                `\`${rule}\``,
                String(number),
                ...standings.map(({ caught }) => String(caught[rule] ?? 0)),
            ]),
        ]),
        "",
        "## What is said of manifests that nobody has broken",
        "",
        ...table([
            ["", "objects", ...standings.map(({ name }) => name)],
            ...Object.entries({ ...stacks, ...projects }).map(([name, objects]) => [
                name,
                String(objects),
                ...standings.map(saidOf({ [name]: objects })),
            ]),
        ]),
        "",
    ].join("\n");

    function row(name: string, cell: (standing: Standing) => string): string[] {
        return [name, ...standings.map(cell)];
    }

    function share(tally: Tally): string {
        const [some, all] = [sum(tally), sum(result.mutants)];
        return `${some} (${Math.floor((100 * some) / all)} %)`;
    }

    function saidOf(subjects: Readonly<Record<string, number>>) {
        return ({ said }: Standing): string => {
            const counts = Object.keys(subjects).flatMap((name) => said[name] ?? []);
            const total = (of: "all" | "fail") => counts.reduce((all, one) => all + one[of], 0);
            return `${total("all")} (${total("fail")})`;
        };
    }
}

function table([heading = [], ...rows]: readonly (readonly string[])[]): string[] {
    const rule = heading.map((_, at) => (at === 0 ? "---" : "--:"));
    return [heading, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
