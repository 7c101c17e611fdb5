import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Files of a folder of credentials, by the option of ioredis that each is for. */
const FILES = {
    username: "username",
    password: "password",
    sentinelPassword: "sentinel-password",
} as const;

type Login = Partial<Record<keyof typeof FILES, string>>;

/** @returns what keeps a folder from being one of credentials; undefined when nothing does */
export function credentialsFault(folder: string): string | undefined {
    try {
        return readLogin(folder).password === undefined ? "it has no password" : undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}

/**
 * Makes the login of a client's options that of a folder's files, as they are at each connection: passwords
 * change while a pod lives. While the folder is being swapped, what was read before holds.
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
