import { execa, type Options } from "execa";
import { ClusterError } from "../../cluster/connect.ts";
import type { PulumiPlace } from "./workspace.ts";

/** Settings by which an update restores what somebody else has changed, and a preview shows that. */
export const RESTORING = {
    // What the release driver owns has been settled before; any other owner of a field has drifted it.
    PULUMI_K8S_ENABLE_PATCH_FORCE: "true",
};

/** The Pulumi CLI where a stack is updated from. */
export type PulumiCli = ReturnType<typeof pulumiCli>;

export function pulumiCli(
    { stack, program, settings }: Pick<PulumiPlace, "stack" | "program" | "settings">,
    signal?: AbortSignal,
) {
    /** Begins a command; it never rejects, and what it printed is in its result. */
    const start = (args: readonly string[], { env, ...extra }: Options = {}) =>
        execa("pulumi", [...args, "--non-interactive"], {
            cwd: program,
            reject: false,
            ...extra,
            env: { ...settings, ...env },
        });
    /** Its exit code and what it printed. A signal of the caller ends it. */
    const run = async (args: readonly string[], extra: Options = {}) => {
        const result = await start(args, { ...(signal && { cancelSignal: signal }), ...extra });
        signal?.throwIfAborted();
        return result;
    };
    /**
     * @returns its standard output
     * @throws ClusterError with what is wrong and what to do about it
     */
    const must = async (args: readonly string[], extra: Options = {}): Promise<string> => {
        const { exitCode, stdout, stderr } = await run(args, extra);
        if (exitCode === 0) return String(stdout);
        throw new ClusterError(failure(`pulumi ${args.slice(0, 2).join(" ")}`, stack, stderr));
    };
    return { start, run, must };
}

/** Errors of the CLI before any update, and what its user does about each. */
const REMEDIES: readonly (readonly [words: RegExp, remedy: (stack: string) => string])[] = [
    [
        /passphrase must be set/,
        (stack) =>
            `the secrets of stack ${stack} are encrypted with a passphrase: set PULUMI_CONFIG_PASSPHRASE, ` +
            "or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it",
    ],
    [
        /incorrect passphrase/,
        (stack) =>
            `PULUMI_CONFIG_PASSPHRASE is not the one with which the secrets of stack ${stack} were encrypted`,
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

/** Characters of the CLI's own words that are kept, from their end. */
const TAIL_CHARACTERS = 2000;

/** Why a command failed: what to do where that is known, else the CLI's own words. */
export function failure(what: string, stack: string, printed: unknown): string {
    const text = typeof printed === "string" ? printed.trim() : "";
    const remedy = REMEDIES.find(([words]) => words.test(text))?.[1];
    return `${what} failed: ${remedy?.(stack) ?? (text.slice(-TAIL_CHARACTERS) || "it printed nothing")}`;
}
