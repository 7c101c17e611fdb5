import { homedir } from "node:os";
import path from "node:path";

/** Folder of a user by the XDG base directory specification: a variable with an empty or relative path is ignored. */
function userFolder(variable: string, otherwise: string): string {
    const set = process.env[variable] ?? "";
    return path.isAbsolute(set) ? set : path.join(homedir(), otherwise);
}

/** Folder of caches. */
export const userCacheFolder = (): string => userFolder("XDG_CACHE_HOME", ".cache");

/** Folder of state that must survive a cleared cache. */
export const userStateBase = (): string => userFolder("XDG_STATE_HOME", ".local/state");
