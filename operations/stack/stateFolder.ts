import { homedir } from "node:os";
import path from "node:path";

/** Folder for state that must survive a cleared cache, such as Pulumi's file backend. */
export function userStateFolder(): string {
    const base = process.env.XDG_STATE_HOME ?? path.join(homedir(), ".local/state");
    return path.join(base, "property-search");
}
