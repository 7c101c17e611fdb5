import { brokenLink, chainOf, codeOf } from "./brokenLink.ts";
import { UserError } from "./userError.ts";

/** What a command prints of an error: a sentence where the user can act on it, else the error with its stack. */
export function describeError(error: unknown): unknown {
    const words = sentenceOf(error) ?? brokenLink(error) ?? failedFetch(error) ?? failedCall(error);
    return words === undefined ? error : `Error: ${words}`;
}

function sentenceOf(error: unknown): string | undefined {
    if (error instanceof UserError) return error.message;
    // Pulumi's RunError has a sentence for the user, too; the SDK knows its own by this mark.
    const isRunError = error instanceof Error && "__pulumiRunError" in error;
    return isRunError ? error.message : undefined;
}

/** A request that could not even be sent, or whose answer is not HTTP or not to be trusted. */
function failedFetch(error: unknown): string | undefined {
    const chain = chainOf(error);
    const isFetch = chain.some((one) => one instanceof TypeError && one.message === "fetch failed");
    const code = chain.map(codeOf).find((one) => one !== undefined && CONNECTION.test(one));
    if (!isFetch && code === undefined) return undefined;
    const words = chain.at(-1);
    const reason = words instanceof Error ? words.message : String(code);
    return `no connection to the cluster: ${reason}${code === undefined ? "" : ` (${code})`}; KUBECONFIG and CONTEXT say where it is`;
}

/** Codes of Node for certificates, TLS, and answers that are not HTTP. */
const CONNECTION =
    /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_INVALID_URL$|HPE_|HOSTNAME_MISMATCH$)/;

const REASONS: Readonly<Record<string, string>> = {
    EACCES: "may not be used by this user",
    EISDIR: "is a folder",
    ENOENT: "does not exist",
    ENOSPC: "does not fit on its disk",
    ENOTDIR: "lies below what is no folder",
    EPERM: "may not be used by this user",
    EROFS: "is on a disk that cannot be written to",
};

/** A file or a program that the operating system refused. */
function failedCall(error: unknown): string | undefined {
    for (const one of chainOf(error)) {
        const { path, syscall } = one as { readonly path?: unknown; readonly syscall?: unknown };
        const code = codeOf(one) ?? "";
        const reason = REASONS[code];
        if (reason === undefined || typeof path !== "string") continue;
        const isProgram = typeof syscall === "string" && syscall.startsWith("spawn");
        if (isProgram && code === "ENOENT") return `${path} is not installed, or not on PATH`;
        return `${path} ${reason} (${code})`;
    }
    return undefined;
}
