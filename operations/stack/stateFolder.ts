import { userStateBase } from "@property-search/contract";
import path from "node:path";

/** Folder for state that must survive a cleared cache, such as Pulumi's file backend. */
export function userStateFolder(): string {
    return path.join(userStateBase(), "property-search");
}
