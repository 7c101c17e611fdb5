import { beforeAll, expect, test } from "@jest/globals";
import { copyFile } from "node:fs/promises";
import path from "node:path";
import { addPulumiToPath } from "../../local/src/toolchain/pulumi.ts";
import { commandsOf, PAGES, ROOT, shell } from "../support/docs/commands.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

const COMMANDS = PAGES.flatMap(commandsOf).filter(
    // A flag alone is a mention of it.
    ({ words: [program, subcommand = ""] }) => program === "pulumi" && !subcommand.startsWith("-"),
);
const quote = (word: string) => `'${word}'`;

let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
    await addPulumiToPath();
    folder = makeTemporaryFolder();
    await copyFile(path.join(ROOT, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
    env = {
        PATH: process.env.PATH ?? "",
        HOME: folder,
        PULUMI_HOME: path.join(folder, ".pulumi"),
        PULUMI_CONFIG_PASSPHRASE: "a passphrase",
        PULUMI_SKIP_UPDATE_CHECK: "true",
    };
});

const run = (script: string) => shell(script, env, folder);

test("each pulumi command has the subcommands and flags of its --help", async () => {
    const wrong: string[] = [];
    for (const { page, text, words } of COMMANDS) {
        const firstFlag = words.findIndex((word) => word.startsWith("-"));
        const flags = words.filter((word) => word.startsWith("--"));
        const subcommands = words
            .slice(1, firstFlag < 0 ? undefined : firstFlag)
            .filter((word) => /^[a-z]+$/.test(word))
            .slice(0, 2);
        const { exitCode, output } = await run(`pulumi ${subcommands.join(" ")} --help`);
        const isKnown =
            exitCode === 0 &&
            (subcommands.length === 0 || output.includes(`pulumi ${subcommands[0] ?? ""}`)) &&
            flags.every((flag) => output.includes(flag));
        if (!isKnown) wrong.push(`${page}: ${text}`);
    }
    expect(wrong).toEqual([]);
    expect(COMMANDS.length).toBeGreaterThan(20);
});

test("a login, a stack and its config are set as the pages say", async () => {
    const setting = COMMANDS.filter(
        ({ page, text }) =>
            !page.startsWith("examples/") && /^pulumi config (--secret )?set/.test(text),
    );
    const commands = [
        `pulumi login file://${folder}`,
        "pulumi stack init dev",
        ...setting
            .map(({ words }) => words.map(quote).join(" "))
            .filter((text) => !/KEY|…|\$|dns01Secret/.test(text)),
        "pulumi stack history --stack dev",
        "pulumi stack rm dev --yes",
    ];
    for (const command of commands) {
        expect(await run(command)).toMatchObject({ exitCode: 0 });
    }
    expect(setting.length).toBeGreaterThan(4);
});
