import { expect, test } from "@jest/globals";
import { stackOfCluster } from "../../operations/deploy/binding.ts";
import { openCluster } from "../support/cluster.ts";
import { commandsOf, PAGES, shell } from "../support/docs/commands.ts";

/* Commands of the pages that only read are run on the cluster as they are; what the reader fills in is filled in. */

const { kubeconfig, ...cluster } = openCluster();
const READ_ONLY = /^(make (status|verify|impact)(?!-)|kubectl (get|describe|logs|top|exec))\b/;
const quote = (word: string) => `'${word}'`;

/** What a stack of the cluster does not have, with its reason. */
const ABSENT: readonly (readonly [pattern: RegExp, reason: string])[] = [
    [/certificate|cert-manager/, "the local stack has no certificates"],
    [/kubectl logs .*job\/redis-cluster-formation/, "the local stack has one Redis server"],
    [/stack-prod/, "it is the record of an apply, and of another stack"],
    [/redis-cli cluster nodes/, "one server is no cluster, and the command needs the password"],
    [/-c (CONTAINER|tend-node)|NAMESPACE/, "it has no pod's name"],
];

const commands = [
    ...new Map(
        PAGES.flatMap(commandsOf)
            .filter(
                ({ text, words }) =>
                    READ_ONLY.test(text) && (words.length > 3 || words[0] === "make"),
            )
            .filter(({ text }) => !ABSENT.some(([pattern]) => pattern.test(text)))
            .map((command) => [command.text, command] as const),
    ).values(),
];

test("pages have commands to run, and every exception is one of them", () => {
    expect(commands.length).toBeGreaterThan(20);
    const texts = PAGES.flatMap(commandsOf).map(({ text }) => text);
    expect(ABSENT.filter(([pattern]) => !texts.some((text) => pattern.test(text)))).toEqual([]);
});

test.each(commands.map(({ text, words }) => [text, words] as const))(
    "%s",
    async (_text, words) => {
        const stack = await stackOfCluster(cluster);
        const own = words
            // Another stack's name, or a word that stands for one, is that of the cluster.
            .filter((word) => !word.startsWith("CONTEXT="))
            .map((word) => word.replace(/^STACK=.*/, `STACK=${stack}`));
        const script = `timeout 60 ${own.map(quote).join(" ")}`;
        const { exitCode, output } = await shell(script, { KUBECONFIG: kubeconfig });
        // A container that never restarted has no previous log.
        const isAnswered =
            exitCode === 0 || (words.includes("--previous") && output.includes("previous"));
        expect({ isAnswered, output: isAnswered ? "" : output }).toEqual({
            isAnswered: true,
            output: "",
        });
        if (words[1] === "get" || words[1] === "describe") {
            // Names of namespaces, kinds and objects exist; only events and unnamed lists may be empty.
            const mayBeEmpty = /events|pdb|job/.test(words.join(" "));
            expect(mayBeEmpty || !output.startsWith("No resources found")).toBe(true);
        }
    },
    90_000,
);
