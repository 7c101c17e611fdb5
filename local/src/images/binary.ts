import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { digest } from "../content.ts";
import type { Build } from "./recipe.ts";

/**
 * A static binary and nothing else.
 *
 * @param source the binary's folder; its name holds the hash of what the binary was made from.
 */
export function binaryBuild(binary: string, source: string): Build {
    const dockerfile = dockerfileOf(binary);
    return {
        key: digest(path.basename(source), dockerfile),
        prepare: async (folder) => {
            await copyFile(path.join(source, binary), path.join(folder, binary));
            await writeFile(path.join(folder, "Dockerfile"), dockerfile);
            return [folder];
        },
    };
}

function dockerfileOf(binary: string): string {
    return `FROM scratch\nCOPY ${binary} /${binary}\nUSER 65532:65532\nENTRYPOINT ["/${binary}"]\n`;
}
