import { readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { digest, once } from "../content.ts";
import { PATHS } from "../paths.ts";
import { run, type Step } from "../shell.ts";
import type { DebianRecipe } from "./catalogue.ts";
import { removeOlder } from "./older.ts";

/** A root file system of Debian packages and what they need, and no package manager. */
export interface DebianRoot {
    readonly archive: string;
    /** Hash of the request. */
    readonly key: string;
    /** What it was resolved to: `name=version` of every package, sorted. */
    readonly packages: readonly string[];
}

/**
 * Resolves packages once and stores the result, so that an image changes only on request and
 * not when a mirror does.
 *
 * @param refresh whether to resolve them again
 */
export async function ensureDebianRoot(
    step: Step,
    name: string,
    { suite, packages, without = [] }: DebianRecipe,
    refresh: boolean,
): Promise<DebianRoot> {
    const include = `--include=${packages.join(",")}`;
    const options = [...OPTIONS, ...without.map(pathExclude), include, suite];
    const key = digest(process.arch, ...options);
    const folder = path.join(PATHS.images, `${name}-root-${key}`);
    const make = async (temporary: string) => {
        step.report(`building ${name}: Debian packages`);
        await bootstrap(step, options, temporary, name);
    };
    if (refresh) await again(folder, make);
    else await once(folder, make);
    await removeOlder(`${name}-root`, folder);
    const versions = await readFile(path.join(folder, VERSIONS), "utf8");
    return {
        archive: path.join(folder, ARCHIVE),
        key,
        packages: versions.split("\n").filter(Boolean).sort(),
    };
}

/** Replaces a folder; on failure, the existing one stays. */
async function again(folder: string, make: (temporary: string) => Promise<void>): Promise<void> {
    const fresh = `${folder}.new`;
    await rm(fresh, { recursive: true, force: true });
    await once(fresh, make);
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
}

async function bootstrap(
    step: Step,
    options: readonly string[],
    folder: string,
    name: string,
): Promise<void> {
    // It mounts into the file system that it fills: in a namespace of its own, and below the build's
    // folder, nothing of that stays when it is killed.
    const isolated = ["--mount", "--propagation", "private", "mmdebstrap"];
    await run(step, "unshare", [...isolated, ...options, path.join(folder, ARCHIVE)], {
        env: { TMPDIR: folder, PACKAGES: path.join(folder, VERSIONS) },
        doing: `unpacking Debian's packages for the image ${name}`,
    });
}

const ARCHIVE = "root.tar";
const VERSIONS = "packages.txt";

const OPTIONS = [
    "--variant=essential",
    // Debian's own migration to a merged /usr would bring all of Perl, 40 MB, to move nothing.
    "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
    // Documentation and translations, which no container reads.
    ...["man", "doc", "locale", "info"].map((folder) => pathExclude(`/usr/share/${folder}/*`)),
    "--customize-hook=" +
        'chroot "$1" dpkg-query -W -f \'${binary:Package}=${Version}\\n\' > "$PACKAGES"',
    // This machine's name, name servers and mirrors must not be part of an image.
    '--customize-hook=rm -rf "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/apt/sources.list*',
];

function pathExclude(pattern: string): string {
    return `--dpkgopt=path-exclude=${pattern}`;
}
