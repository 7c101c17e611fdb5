import { describeConnectionLoss, causeChain, errorCode } from "./connectionLoss.ts";
import { UserError } from "./userError.ts";

/** @returns a sentence if the user can act on the error, otherwise the error itself with its stack */
export function describeError(error: unknown): unknown {
    const words =
        describeUserError(error) ??
        describeConnectionLoss(error) ??
        describeFetchError(error) ??
        describeSystemError(error);
    return words === undefined ? error : `Error: ${words}`;
}

function describeUserError(error: unknown): string | undefined {
    if (error instanceof UserError) return error.message;
    // The message of Pulumi's RunError is for the user; the SDK recognises it by this property.
    const isRunError = error instanceof Error && "__pulumiRunError" in error;
    return isRunError ? error.message : undefined;
}

/** A request that could not be sent, or whose response is not HTTP or not trusted. */
function describeFetchError(error: unknown): string | undefined {
    const chain = causeChain(error);
    const isFetch = chain.some((one) => one instanceof TypeError && one.message === "fetch failed");
    const code = chain
        .map(errorCode)
        .find((one) => one !== undefined && TLS_OR_PROTOCOL_ERROR.test(one));
    if (!isFetch && code === undefined) return undefined;
    const words = chain.at(-1);
    const reason = words instanceof Error ? words.message : String(code);
    return `no connection to the cluster: ${reason}${code === undefined ? "" : ` (${code})`}; check KUBECONFIG and CONTEXT`;
}

/** Node's error codes for certificates, TLS and responses that are not HTTP. */
const TLS_OR_PROTOCOL_ERROR =
    /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_INVALID_URL$|HPE_|HOSTNAME_MISMATCH$)/;

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
    EACCES: "is not accessible to this user",
    EISDIR: "is a directory",
    ENOENT: "does not exist",
    ENOSPC: "does not fit on its disk",
    ENOTDIR: "has a parent that is not a directory",
    EPERM: "is not accessible to this user",
    EROFS: "is on a read-only file system",
};

/** A failed system call on a file, or a program that failed to start. */
function describeSystemError(error: unknown): string | undefined {
    for (const one of causeChain(error)) {
        const { path, syscall } = one as { readonly path?: unknown; readonly syscall?: unknown };
        const code = errorCode(one) ?? "";
        const reason = SYSTEM_ERRORS[code];
        if (reason === undefined || typeof path !== "string") continue;
        const isProgram = typeof syscall === "string" && syscall.startsWith("spawn");
        if (isProgram && code === "ENOENT") return `${path} is not installed or not on PATH`;
        return `${path} ${reason} (${code})`;
    }
    return undefined;
}
