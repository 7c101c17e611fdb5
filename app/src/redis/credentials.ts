import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Files of a credentials directory, by ioredis option. */
const FILES = {
    username: "username",
    password: "password",
    sentinelPassword: "sentinel-password",
} as const;

type Login = Partial<Record<keyof typeof FILES, string>>;

/** @returns why a directory does not contain valid credentials, or undefined if it does */
export function credentialsFault(folder: string): string | undefined {
    try {
        return readLogin(folder).password === undefined ? "it has no password" : undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}

/**
 * Makes the login of a client's options follow the files of a directory at each connection, because passwords
 * are rotated while a pod runs. While the directory is being swapped, the previous login stays in force.
 */
export function followLogin(options: object, folder: string): void {
    let known: Login = {};
    const current = (): Login => {
        if (credentialsFault(folder) === undefined) known = readLogin(folder);
        return known;
    };
    for (const option of Object.keys(FILES) as (keyof Login)[]) {
        Object.defineProperty(options, option, {
            enumerable: true,
            configurable: true,
            get: () => current()[option],
        });
    }
}

function readLogin(folder: string): Login {
    const texts = Object.entries(FILES).map(([option, file]) => [
        option,
        textOf(join(folder, file)),
    ]);
    return Object.fromEntries(texts.filter(([, text]) => text !== undefined)) as Login;
}

function textOf(file: string): string | undefined {
    try {
        return readFileSync(file, "utf8").trim() || undefined;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
}
