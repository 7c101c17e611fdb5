import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Files of a credentials directory, by ioredis option. */
const FILES = {
    username: "username",
    password: "password",
    sentinelPassword: "sentinel-password",
} as const;

type Credentials = Partial<Record<keyof typeof FILES, string>>;

/** @returns why a directory does not contain valid credentials, or undefined if it does */
export function credentialsError(folder: string): string | undefined {
    try {
        return readCredentials(folder).password === undefined ? "it has no password" : undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}

/**
 * Makes the login of a client's options follow the files of a directory at each connection, because passwords
 * are rotated while a pod runs. While the directory is being swapped, the previous login stays in force.
 */
export function followCredentials(options: object, folder: string): void {
    let lastValid: Credentials = {};
    const current = (): Credentials => {
        if (credentialsError(folder) === undefined) lastValid = readCredentials(folder);
        return lastValid;
    };
    for (const option of Object.keys(FILES) as (keyof Credentials)[]) {
        Object.defineProperty(options, option, {
            enumerable: true,
            configurable: true,
            get: () => current()[option],
        });
    }
}

function readCredentials(folder: string): Credentials {
    const texts = Object.entries(FILES).map(([option, file]) => [
        option,
        readOptional(join(folder, file)),
    ]);
    return Object.fromEntries(texts.filter(([, text]) => text !== undefined)) as Credentials;
}

function readOptional(file: string): string | undefined {
    try {
        return readFileSync(file, "utf8").trim() || undefined;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
}
