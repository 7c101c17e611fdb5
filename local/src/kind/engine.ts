import { LocalError, tryRun } from "../shell.ts";
import { CLUSTER_LABEL } from "./names.ts";

/** Container engines that kind can use, in the order in which they are tried. */
const ENGINES = ["docker", "podman", "nerdctl"] as const;

export type Engine = (typeof ENGINES)[number];

/** kind's own variable: the engine that it uses. */
export const PROVIDER = "KIND_EXPERIMENTAL_PROVIDER";

/**
 * Finds the container engine: the one that has our cluster, else the first that answers.
 *
 * @param requested value of KIND_EXPERIMENTAL_PROVIDER, which selects an engine
 * @returns undefined where none answers
 * @throws LocalError for an engine that kind does not know
 */
export async function findEngine(requested = process.env[PROVIDER]): Promise<Engine | undefined> {
    const candidates =
        requested === undefined || requested === "" ? ENGINES : [readEngine(requested)];
    const answers = await Promise.all(candidates.map((engine) => isEngine(engine)));
    const engines = candidates.filter((_, index) => answers[index]);
    const clusters = await Promise.all(engines.map((engine) => clusterNodes(engine)));
    return engines.find((_, index) => clusters[index]?.length) ?? engines[0];
}

/** Ids of our cluster's containers, running or not. */
export async function clusterNodes(engine: Engine): Promise<string[]> {
    const filter = ["--filter", `label=${CLUSTER_LABEL}`];
    const listed = await tryRun(engine, ["ps", "--all", "--quiet", ...filter]);
    if (listed === undefined) throw new LocalError(`${engine} does not list its containers`);
    return listed.split("\n").filter((line) => line !== "");
}

function readEngine(name: string): Engine {
    const found = ENGINES.find((engine) => engine === name);
    if (found !== undefined) return found;
    throw new LocalError(`${PROVIDER} is "${name}"; allowed: ${ENGINES.join(", ")}, or not set`);
}

/** A command called docker may be podman's, which kind drives in another way. */
async function isEngine(engine: Engine): Promise<boolean> {
    const version = await tryRun(engine, ["--version"]);
    if (version?.toLowerCase().startsWith(engine) !== true) return false;
    return (await tryRun(engine, ["ps", "--quiet"])) !== undefined;
}
