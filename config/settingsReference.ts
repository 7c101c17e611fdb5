import { SERVICE_SETTINGS, type Row, type Setting } from "@property-search/contract/settings";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { conditionsOf } from "./effects.ts";
import { GROUPS, ROWS, textOf } from "./settings/index.ts";
import { describe, type Condition, type ProgramRow } from "./settings/row.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const FILE = path.join(ROOT, "docs/settings.md");
const PREFIX = "property-search:";

/** Variables of commands of operations/ and local/, which are no settings of a stack. */
export const COMMAND_VARIABLES: Readonly<Record<string, string>> = {
    ADMIN_TOKEN: "`make admin`: token of the admin port. Default: that of the stack.",
    ADOPT: "`make deploy`: `1` takes over existing objects ([ownership](clusters.md#ownership-of-objects)).",
    ANONYMOUS: "`make up`: `false` rejects requests without an API key. Default: the stack's file.",
    API_KEY:
        "`make deploy`, `verify`, `switch`, `rollback`: API key. Default: that of the tenant `platform`.",
    CLUSTER: "`make up`: `kind` or `node`. Default: kind where a container engine responds.",
    DEPLOY: "`make deploy`, `rotate`: `pulumi` or `apply`. Default: Pulumi where it is installed.",
    FORCE: "`make rollback`: `1` writes the route past Pulumi. `make rehearse`: `1` lets one delete Prometheus' oldest blocks.",
    GATEWAY_CA_FILE: "PEM file of authorities that the gateway's certificate may be signed by.",
    GATEWAY_URL: "Address of the gateway in place of that of its status ([connecting](edge.md)).",
    KIND_EXPERIMENTAL_PROVIDER: "`make up`: container engine, `docker`, `podman` or `nerdctl`.",
    KIND_NODE_IMAGE: "`make up`: node image of kind. Default: pinned by digest.",
    KUBECONFIG: "Kubeconfig files, as for kubectl. Set: `make up`'s cluster is no default.",
    PORT: "`make up` on kind: host port of the gateway (8080). `make dev`: port of the service (8001). `make example`: port of the page (3000).",
    PULUMI_ACCESS_TOKEN: "Login to Pulumi Cloud ([backends](pulumi.md#login-and-backend)).",
    PULUMI_BACKEND_URL: "Pulumi's backend.",
    PULUMI_CONFIG_PASSPHRASE: "Passphrase of the stack's secrets.",
    PULUMI_CONFIG_PASSPHRASE_FILE: "The same, in a file.",
    REFRESH: "`make up`: `images` resolves Debian packages again.",
    XDG_CACHE_HOME: "Folder of caches, an absolute path. Default: `~/.cache`.",
    XDG_STATE_HOME:
        "Folder of Pulumi's state without a login, an absolute path. Default: `~/.local/state`.",
};

/** @returns docs/settings.md, before Prettier wraps its lines */
export function settingsReference(): string {
    const stacks = readStacks();
    const groups = Object.entries(GROUPS).map(([title, rows]) => {
        const entries = Object.entries(rows).map(([key, row]) => keyEntry(key, row, stacks));
        return `## ${title}\n\n${entries.join("\n")}`;
    });
    const variables = Object.entries(COMMAND_VARIABLES).map(
        ([name, words]) => `- \`${name}\`: ${words}`,
    );
    return [
        "# Settings",
        "Generated from the declarations in `config/settings/` and `contract/src/settings/` by `make settings`; a test compares. " +
            "Keys are set in `Pulumi.<stack>.yaml` with the prefix `property-search:` ([a stack of your own](stacks.md)). " +
            "A key that is set and has no effect is reported as a warning, a wrong value as an error. " +
            "Secrets are set with `make secrets` or `make rotate` ([secrets](runbooks/secrets.md)).",
        ...groups,
        "## Variables of the service without a key",
        "The program sets them in the pod's container; `make dev` and tests set them by hand. " +
            "Variables of the settings above are named there.",
        SETTINGS.filter(({ key }) => key === undefined)
            .map(variableEntry)
            .join("\n"),
        "## Variables of insights",
        "It reads no variables: the stack's keys become flags of its container " +
            "(`node insights/src/main.ts serve --help`, `analyse --help`, `tune --help`).",
        "## Variables of commands",
        "They apply to one command and are stored nowhere.",
        variables.join("\n"),
        "",
    ].join("\n\n");
}

const SETTINGS: readonly Setting[] = Object.values(SERVICE_SETTINGS);
const VARIABLES = new Map(
    SETTINGS.flatMap(({ key, env }) => (key === undefined ? [] : [[key, env]])),
);

function keyEntry(key: string, row: ProgramRow, stacks: Stacks): string {
    const variable = VARIABLES.get(key);
    const conditions = [...new Set(conditionsOf(key).map(conditionWords))];
    const setBy = [...stacks].flatMap(([stack, values]) =>
        Object.hasOwn(values, key) ? [`${stack} (${shown(values[key])})`] : [],
    );
    const facts = [
        `Type: ${row.type}.`,
        factsOf(row),
        conditions.length === 0 ? "" : `Used if ${conditions.join(" and ")}.`,
        variable === undefined ? "" : `Variable: \`${variable}\`.`,
        setBy.length === 0 ? "" : `Set by ${setBy.join(", ")}.`,
    ];
    return `- **\`${key}\`**: ${linked(describe(row))} ${facts.filter(Boolean).join(" ")}`;
}

function variableEntry(row: Setting): string {
    return `- **\`${row.env}\`**: ${linked(describe(row))} ${factsOf(row)}`;
}

function factsOf({ secret, default: value }: Pick<Row, "secret" | "default">): string {
    if (secret) return "Secret.";
    return value === "" ? "No default." : `Default: ${shown(value)}.`;
}

function shown(value: unknown): string {
    const text = textOf(value);
    return text === "" ? "empty" : `\`${text}\``;
}

/** Descriptions name pages from the repository's root, and may hold what Markdown would take for its own. */
function linked(words: string): string {
    return words
        .replaceAll(/\[\{.*?\}\]|\d+ \d+ \* \* \*|(?<!`)https?:\/\/[^\s,;)`]*[^\s,;)`.]/g, "`$&`")
        .replaceAll(/(?<![`\w/])([*<>])/g, "\\$1")
        .replaceAll(/docs\/([\w/]+\.md)/g, "[$1]($1)");
}

function conditionWords([key, isWanted]: Condition): string {
    const row = ROWS.get(key);
    const options = row === undefined ? [] : optionsOf(row);
    const byDefault = (other: string) => textOf(ROWS.get(other)?.default ?? "");
    const wanted = options.filter((option) => isWanted(option, byDefault));
    const whateverElse = options.filter((option) => isWanted(option, () => undefined));
    const suffix = wanted.length === whateverElse.length ? "" : " by default";
    const unwanted = options.filter((option) => !wanted.includes(option));
    if (options.length === 0) {
        return `\`${key}\` is ${isWanted("any", byDefault) ? "set" : "not set"}`;
    }
    const isFewer = unwanted.length < wanted.length;
    const values = (isFewer ? unwanted : wanted).map((value) => `\`${value}\``).join(" or ");
    return `\`${key}\` is ${isFewer ? "not " : ""}${values}${suffix}`;
}

/** The values of a setting that has a few. */
function optionsOf({ type, words, fits }: ProgramRow): readonly string[] {
    if (type === "boolean") return ["true", "false"];
    const options = words.split(", ");
    return options.length > 1 && options.every((option) => fits(option)) && !fits("any")
        ? options
        : [];
}

type Stacks = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** A deploy changes these in the stack's file, which must not make the page outdated. */
const isWrittenByDeploys = (key: string) =>
    /^(cluster|blue|green|traffic|insights[.]image)/.test(key) || ROWS.get(key)?.secret === true;

/** The values of the repository's own stacks, by key. */
function readStacks(): Stacks {
    const files = globSync("Pulumi.{dev,prod,local}.yaml", { cwd: ROOT }).sort();
    return new Map(
        files.map((file) => {
            const { config } = parse(readFileSync(path.join(ROOT, file), "utf8")) as {
                config: Readonly<Record<string, unknown>>;
            };
            const values = Object.entries(config)
                .map(([key, value]) => [key.slice(PREFIX.length), value] as const)
                .filter(([key]) => !isWrittenByDeploys(key));
            return [file.split(".")[1] ?? "", Object.fromEntries(values)];
        }),
    );
}

if (import.meta.main) writeFileSync(FILE, settingsReference());
