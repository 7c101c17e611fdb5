import { execa, type Options } from "execa";
import { ClusterError } from "../../cluster/connect.ts";
import type { PulumiWorkspace } from "./workspace.ts";

/** Environment with which an update restores drifted fields, and a preview shows them. */
export const RESTORE_ENV = {
    // The release driver's fields are handled before; any other owner of a field is drift.
    PULUMI_K8S_ENABLE_PATCH_FORCE: "true",
};

/** The Pulumi CLI in a stack's workspace. */
export type PulumiCli = ReturnType<typeof pulumiCli>;

export function pulumiCli(
    { stack, program, env: workspaceEnv }: Pick<PulumiWorkspace, "stack" | "program" | "env">,
    signal?: AbortSignal,
) {
    /** Starts a command; it never rejects, and its output is in the result. */
    const start = (args: readonly string[], { env, ...extra }: Options = {}) =>
        execa("pulumi", [...args, "--non-interactive"], {
            cwd: program,
            reject: false,
            ...extra,
            env: { ...workspaceEnv, ...env },
        });
    /** Runs a command to its end. The caller's signal cancels it. */
    const run = async (args: readonly string[], extra: Options = {}) => {
        const result = await start(args, { ...(signal && { cancelSignal: signal }), ...extra });
        signal?.throwIfAborted();
        return result;
    };
    /**
     * @returns the standard output
     * @throws ClusterError with the problem and its remedy
     */
    const runOrThrow = async (args: readonly string[], extra: Options = {}): Promise<string> => {
        const { exitCode, stdout, stderr } = await run(args, extra);
        if (exitCode === 0) return String(stdout);
        throw new ClusterError(
            describeFailure(`pulumi ${args.slice(0, 2).join(" ")}`, stack, stderr),
        );
    };
    return { start, run, must: runOrThrow };
}

/** Errors of the CLI before an update, and their remedies. */
const REMEDIES: readonly (readonly [words: RegExp, remedy: (stack: string) => string])[] = [
    [
        /passphrase must be set/,
        (stack) =>
            `the secrets of stack ${stack} are encrypted with a passphrase: set PULUMI_CONFIG_PASSPHRASE, ` +
            "or PULUMI_CONFIG_PASSPHRASE_FILE to a file with it",
    ],
    [
        /incorrect passphrase/,
        (stack) =>
            `the secrets in Pulumi.${stack}.yaml are encrypted with another passphrase: log in to the backend of the ` +
            "stack's deploys (pulumi login), and set PULUMI_CONFIG_PASSPHRASE to its passphrase",
    ],
    [
        /PULUMI_ACCESS_TOKEN must be set/,
        () =>
            "Pulumi is not logged in: pulumi login (Pulumi Cloud) or pulumi login file://<folder>",
    ],
    [
        /no stack named/,
        (stack) =>
            `the backend has no stack ${stack}: make deploy STACK=${stack}, or pulumi stack init ${stack}`,
    ],
];

/** Maximum characters of the CLI's output, from its end. */
const TAIL_CHARACTERS = 2000;

/** Describes a failed command: the remedy if it is known, else the CLI's output. */
export function describeFailure(what: string, stack: string, printed: unknown): string {
    const text = typeof printed === "string" ? printed.trim() : "";
    const remedy = REMEDIES.find(([words]) => words.test(text))?.[1];
    return `${what} failed: ${remedy?.(stack) ?? (text.slice(-TAIL_CHARACTERS) || "it printed nothing")}`;
}
