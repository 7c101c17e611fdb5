import { existsSync, statfsSync } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { digest, digestFiles } from "../content.ts";
import { PATHS, REPOSITORY } from "../paths.ts";
import { run, tryRun, type Step } from "../shell.ts";
import { imageNamed, SERVICE_CONTEXT, SUITE, type ImageDefinition } from "./catalogue.ts";
import { referenceOf, type Image } from "./images.ts";

export interface Inputs {
    /** Folder of each binary, by its name. */
    readonly binaries: Readonly<Record<string, string>>;
    /** Folder with model.onnx and tokenizer.json; its name holds their hash. */
    readonly model: string;
}

/** A build's folder: a Dockerfile and what it copies. */
interface Build {
    readonly key: string;
    /** Fills a folder and returns the arguments of `buildah build`. */
    readonly prepare: (folder: string) => Promise<readonly string[]>;
}

/** Type of overlayfs in statfs(2): an overlay cannot lie on another one, as in a container's root. */
const OVERLAYFS = 0x794c7630;

/**
 * buildah in a mount namespace of its own: however it ends, no mount of its storage is left. An overlay
 * keeps only what a layer changes, where vfs copies the whole image for each (0.8 GB and 8 s for a
 * changed source, instead of 14 GB and 85 s).
 */
async function buildah(step: Step, args: readonly string[], doing?: string): Promise<void> {
    const overlay = statfsSync(PATHS.images).type !== OVERLAYFS;
    const driver = overlay ? "overlay" : "vfs";
    const storage = path.join(PATHS.images, `storage-${driver}`);
    const runRoot = path.join(PATHS.images, "run");
    const isolated = ["--mount", "--propagation", "private", "buildah"];
    const where = ["--storage-driver", driver, "--root", storage, "--runroot", runRoot];
    await run(step, "unshare", [...isolated, ...where, ...args], { ...(doing && { doing }) });
}

/**
 * Builds an image, once for each content of everything that goes into it. The archive gets its name when
 * it is whole.
 */
export async function buildImage(step: Step, name: string, inputs: Inputs): Promise<Image> {
    const definition = imageNamed(name);
    const build = await planOf(step, definition, inputs);
    const archive = path.join(PATHS.images, `${name}-${build.key}.tar`);
    const references = definition.versions.map((version) => referenceOf(name, version, build.key));
    if (!existsSync(archive)) {
        step.say(`building ${name}`);
        await buildArchive(step, build, references[0] ?? "", archive);
        await removeOlder(name, archive);
    }
    return { name, references, archive };
}

async function buildArchive(
    step: Step,
    build: Build,
    reference: string,
    archive: string,
): Promise<void> {
    const folder = `${archive}.build`;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const args = await build.prepare(folder);
    const isolation = ["--isolation", "chroot", "--network", "host", "--layers"];
    // Counts of mounts that a killed build left behind are wrong in this namespace.
    await rm(path.join(PATHS.images, "run"), { recursive: true, force: true });
    const doing = `building the image ${reference}`;
    await buildah(step, ["build", ...isolation, "-t", reference, ...args], doing);
    await rm(`${archive}.partial`, { force: true });
    const target = `docker-archive:${archive}.partial:${reference}`;
    await buildah(step, ["push", "--quiet", reference, target]);
    await rename(`${archive}.partial`, archive);
    await rm(folder, { recursive: true, force: true });
}

async function planOf(
    step: Step,
    { name, recipe }: ImageDefinition,
    inputs: Inputs,
): Promise<Build> {
    if (recipe.kind === "binary") return binaryPlan(recipe.binary, inputs);
    if (recipe.kind === "debian") return debianPlan(step, name, recipe.packages, recipe.node);
    const node = await buildImage(step, "node", inputs);
    return servicePlan(step, node, inputs.model);
}

function binaryPlan(binary: string, { binaries }: Inputs): Build {
    const folder = binaries[binary] ?? "";
    return {
        key: digest(path.basename(folder), BINARY_DOCKERFILE(binary)),
        prepare: async (context) => {
            await copyFile(path.join(folder, binary), path.join(context, binary));
            await writeFile(path.join(context, "Dockerfile"), BINARY_DOCKERFILE(binary));
            return [context];
        },
    };
}

const BINARY_DOCKERFILE = (binary: string) =>
    `FROM scratch\nCOPY ${binary} /${binary}\nUSER 65532:65532\nENTRYPOINT ["/${binary}"]\n`;

/** A root file system of Debian packages and what they need, and no package manager. */
function debianPlan(
    step: Step,
    name: string,
    packages: readonly string[],
    withNode = false,
): Build {
    const node = withNode ? [`node ${process.version}`, NPM_VERSION] : [];
    return {
        key: digest(SUITE, ...packages, ...node, process.arch),
        prepare: async (context) => {
            const root = path.join(context, "root.tar");
            step.say(`building ${name}: Debian packages`);
            const include = `--include=${packages.join(",")}`;
            // It mounts into the file system that it fills: in a namespace of its own, and below the
            // build's folder, nothing of that stays when it is killed.
            const options = ["--variant=essential", include, ...SLIM, SUITE, root];
            await run(step, "unshare", [...PRIVATE_MOUNTS, "mmdebstrap", ...options], {
                env: { TMPDIR: context },
                doing: `unpacking Debian's packages for the image ${name}`,
            });
            const lines = ["FROM scratch", "ADD root.tar /"];
            if (withNode) {
                await copyFile(process.execPath, path.join(context, "node"));
                const npm = [
                    "install",
                    "--prefix",
                    path.join(context, "npm"),
                    `npm@${NPM_VERSION}`,
                ];
                await run(step, "npm", [...npm, "--no-audit", "--no-fund"]);
                lines.push(
                    "COPY node /usr/local/bin/node",
                    "COPY npm/node_modules/npm /usr/local/lib/node_modules/npm",
                    "RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm",
                );
            }
            await writeFile(path.join(context, "Dockerfile"), `${lines.join("\n")}\n`);
            return [context];
        },
    };
}

const NPM_VERSION = "11.19.1";
const PRIVATE_MOUNTS = ["--mount", "--propagation", "private"];
/** Documentation and translations that no container reads. */
const SLIM = [
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
];

/** The service's own Dockerfile, with local images in the place of the official ones. */
async function servicePlan(step: Step, base: Image, model: string): Promise<Build> {
    const node = base.references[0] ?? "";
    return {
        key: digest(await digestFiles(SERVICE_CONTEXT), node, path.basename(model)),
        prepare: async () => {
            // The archive may have outlived the storage that it was built in.
            await buildah(step, ["pull", "--quiet", `docker-archive:${base.archive}`]);
            const host = await hostSettings();
            return [
                ...["--build-arg", `NODE_IMAGE=${node}`, "--build-arg", `BUILD_IMAGE=${node}`],
                ...["--build-context", `model=${model}`],
                ...host,
                ...["-f", path.join(REPOSITORY, "app/Dockerfile"), REPOSITORY],
            ];
        },
    };
}

/** This machine's way to the npm registry, mounted into the build and never part of a layer. */
async function hostSettings(): Promise<string[]> {
    const certificates = "/etc/ssl/certs";
    const settings = await tryRun("npm", ["config", "get", "userconfig"]);
    const cache = await tryRun("npm", ["config", "get", "cache"]);
    const mounts = [
        existsSync(certificates) && `${certificates}:${certificates}:ro`,
        settings !== undefined && existsSync(settings) && `${settings}:/root/.npmrc:ro`,
        cache !== undefined && existsSync(cache) && `${cache}:/root/.npm`,
    ];
    return mounts.filter((mount) => mount !== false).flatMap((mount) => ["--volume", mount]);
}

/** Only the newest archive of an image is kept: they are large and can be made again. */
async function removeOlder(name: string, newest: string): Promise<void> {
    const pattern = new RegExp(`^${name}-[0-9a-f]{12}\\.tar`);
    for (const file of await readdir(PATHS.images)) {
        if (pattern.test(file) && file !== path.basename(newest)) {
            await rm(path.join(PATHS.images, file), { recursive: true, force: true });
        }
    }
}
