import { existsSync } from "node:fs";
import {
    copyFile,
    mkdir,
    readdir,
    readFile,
    rename,
    rm,
    symlink,
    utimes,
    writeFile,
} from "node:fs/promises";
import path from "node:path";
import { digest, digestFiles, once } from "../content.ts";
import { removeUnused } from "../images/older.ts";
import { PATHS, REPOSITORY } from "../paths.ts";
import { LocalError, run, tryRun, type Step } from "../shell.ts";

/** A program from the Go module proxy. */
export interface GoProgram {
    /** The binary's name. */
    readonly name: string;
    /** Its main package; default: `./cmd/NAME` of the build's own module. */
    readonly package?: string;
    /** Other names under which the binary is called. */
    readonly links?: readonly string[];
}

/** Programs that one `go build` compiles, each package of theirs once. */
export interface GoBuild {
    /** Unique among builds. */
    readonly name: string;
    /** Folder below local/toolchain with the go.mod and go.sum that pin all modules. */
    readonly module: string;
    readonly programs: readonly GoProgram[];
    /** Values of -X for the linker; default: none. */
    readonly variables?: Readonly<Record<string, string>>;
    /** Source in the place of a module's own; default: none. */
    readonly replace?: Replacement;
}

/** Source of a module that is made from the module's own files. */
export interface Replacement {
    readonly module: string;
    /** Hash over all that decides the source, besides go.mod and go.sum. */
    readonly key: () => Promise<string>;
    /** Fills an empty folder with the source. @param original folder of the module's own files. */
    readonly write: (original: string, folder: string) => Promise<void>;
}

/** The compiler's own garbage collector costs a fifth of a build's processor time (12.2 → 9.6 min). */
const COMPILER = {
    CGO_ENABLED: "0",
    GOFLAGS: "-buildvcs=false",
    GOGC: "off",
    GOMEMLIMIT: "2500MiB",
};

/** Folder of each binary, by the binary's name; a folder is named by the hash of its binary. */
export type Binaries = Readonly<Record<string, string>>;

/**
 * Builds programs once for each version of their source, their pinned modules and the compiler.
 *
 * @param niceness of nice(1), 0 to 19; default: 0.
 */
export async function buildGo(
    step: Step,
    build: GoBuild,
    { niceness = 0 }: { niceness?: number } = {},
): Promise<Binaries> {
    const folder = await buildFolder(build);
    await mkdir(PATHS.toolchain, { recursive: true });
    await once(folder, async (temporary) => {
        const cwd = moduleRoot(build.module);
        const names = build.programs.map(({ name }) => name).join(", ");
        const module = await replaceModule(step, build, temporary);
        step.report(`compiling ${names}`);
        const out = path.join(temporary, "out");
        const packages = build.programs.map(packagePath);
        const go = ["go", "build", ...module, ...createFlags(build), "-o", `${out}/`, ...packages];
        const args = ["-n", String(niceness), ...go];
        await run(step, "nice", args, { cwd, env: COMPILER, doing: `compiling ${names}` });
        for (const program of build.programs) await store(program, out, temporary);
        await rm(out, { recursive: true });
        await rm(path.join(temporary, SOURCE), { recursive: true, force: true });
    });
    const now = new Date();
    await utimes(folder, now, now);
    // Builds of older layouts had their programs' names.
    const names = [build.name, ...build.programs.map(({ name }) => name)];
    await removeUnused(names, PATHS.toolchain);
    return listBinaries(folder);
}

/** Builds the only program of a build. @returns the program's folder. */
export async function buildTool(step: Step, build: GoBuild): Promise<string> {
    const [folder = ""] = Object.values(await buildGo(step, build));
    return folder;
}

/** Folder that a build goes into, whether it has been built or not. */
export async function buildFolder(build: GoBuild): Promise<string> {
    const compiler = (await tryRun("go", ["env", "GOVERSION", "GOARCH"])) ?? "";
    const key = digest(
        await digestFiles([moduleRoot(build.module)]),
        compiler,
        JSON.stringify(build.programs),
        (await build.replace?.key()) ?? "",
        ...createFlags(build),
    );
    return path.join(PATHS.toolchain, `${build.name}-${key}`);
}

/** Binaries of a build that has been made. @throws LocalError when it has not been. */
export async function listBinaries(folder: string): Promise<Binaries> {
    const entries = existsSync(folder) ? await readdir(folder) : [];
    const binaries = entries.flatMap((entry) => {
        const [, name] = /^(.+)-[0-9a-f]{12}$/.exec(entry) ?? [];
        return name === undefined ? [] : [[name, path.join(folder, entry)] as const];
    });
    if (binaries.length === 0) throw new LocalError(`there are no binaries in ${folder}`);
    return Object.fromEntries(binaries);
}

/** A binary goes into a folder that is named by its content: what is made of it changes only with it. */
async function store({ name, package: from, links = [] }: GoProgram, out: string, into: string) {
    const compiled = path.join(out, path.basename(from ?? name));
    const folder = path.join(into, `${name}-${digest(await readFile(compiled))}`);
    await mkdir(folder);
    await rename(compiled, path.join(folder, name));
    for (const link of links) await symlink(name, path.join(folder, link));
}

function packagePath(program: GoProgram): string {
    return program.package ?? `./cmd/${program.name}`;
}

export function createFlags({ variables = {} }: GoBuild): readonly string[] {
    const values = Object.entries(variables).map(([key, value]) => ["-X", `${key}=${value}`]);
    const linker = ["-s", "-w", ...values.flat()].join(" ");
    return ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", linker];
}

const SOURCE = "source";

/** Arguments that substitute a module's source. Go rejects overlays over its module cache. */
async function replaceModule(step: Step, build: GoBuild, temporary: string): Promise<string[]> {
    if (build.replace === undefined) return [];
    const { module, write } = build.replace;
    const source = path.join(temporary, SOURCE, "module");
    await mkdir(source, { recursive: true });
    await write(await moduleFolder(step, build.module, module), source);
    const own = moduleRoot(build.module);
    const modFile = path.join(temporary, SOURCE, "go.mod");
    const pinned = await readFile(path.join(own, "go.mod"), "utf8");
    await writeFile(modFile, `${pinned}\nreplace ${module} => ${source}\n`);
    await copyFile(path.join(own, "go.sum"), path.join(temporary, SOURCE, "go.sum"));
    return [`-modfile=${modFile}`];
}

/**
 * Folder of a module's own files, such as manifests.
 *
 * @param pinnedBy folder below local/toolchain whose go.mod pins the version.
 */
export async function moduleFolder(step: Step, pinnedBy: string, module: string): Promise<string> {
    const args = ["mod", "download", "-json", module];
    const listed = await run(step, "go", args, { cwd: moduleRoot(pinnedBy), env: COMPILER });
    return (JSON.parse(listed) as { Dir: string }).Dir;
}

function moduleRoot(name: string): string {
    return path.join(REPOSITORY, "local/toolchain", name);
}
