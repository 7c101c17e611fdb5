import { COLOURS, otherColour, type Colour, type PerColour } from "@property-search/contract";
import {
    configuredWeights,
    deploy,
    givenConfig,
    readConfig,
    routeWeights,
    setStackConfig,
    stackApiKey,
    trackedFile,
    verify,
    type Cluster,
} from "@property-search/deploy";
import { clusterCapacity, podsOfBoth, type Pods } from "../capacity/capacity.ts";
import { ReleaseError } from "../error.ts";
import type { Plan } from "../plan.ts";
import { isOver, type Switch } from "../state.ts";
import { readRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";
import { start } from "./start.ts";

export interface DeployOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly kubeconfig?: string | undefined;
    readonly plan: Plan;
    /** Kept with the switch. */
    readonly reason: string;
    /** Whether the switch goes past the one who owns the weights. */
    readonly direct: boolean;
    /** Of the new version; both or none. Default: what the stack's config says. */
    readonly image?: string | undefined;
    readonly version?: string | undefined;
    /** Let the colour that serves be changed under its traffic, pod by pod. */
    readonly inPlace: boolean;
}

/**
 * Deploys a stack, uses it as a client would, and moves the traffic to the colour that got a new version.
 *
 * @returns the switch, or undefined where no colour got another version
 */
export async function deployAndSwitch(
    context: Context,
    options: DeployOptions,
): Promise<Switch | undefined> {
    const { cluster, stack, plan, reason, direct, inPlace } = options;
    const { report, signal } = context;
    const before = await running(context);
    if (before) await refuseBesideSwitch(context);
    const given = Object.entries(await givenConfig(cluster, stack));
    const written =
        before && isServing(options, before) ? [] : await writeVersion(options, before?.idle);
    const config = Object.fromEntries(given.filter(([key]) => !written.includes(key)));
    const changed = before ? await changedIn(stack, config, before.pods) : [];
    if (before && !inPlace && changed.includes(otherColour(before.idle))) {
        const active = otherColour(before.idle);
        throw new ReleaseError(
            `${active} serves, and its image or version in Pulumi.${stack}.yaml is another than the one that runs: ` +
                `put the new version on ${before.idle} (make deploy IMAGE=… VERSION=…), or set IN_PLACE=1`,
        );
    }
    const deployed = await deploy({
        stack,
        context: cluster.context,
        config,
        ...(options.kubeconfig !== undefined && { kubeconfig: options.kubeconfig }),
        report,
        ...(signal && { signal }),
    });
    report(`deployed in ${deployed.seconds.toFixed(0)} s: ${deployed.summary}`);
    const verified = await verify({
        cluster,
        apiKey: deployed.platformKey ?? (await stackApiKey({ cluster, stack, report })),
        configured: await configuredWeights(cluster, stack),
        report,
        ...(signal && { signal }),
    });
    report(`verified ${verified.url}`);
    if (!before || !changed.includes(before.idle)) return undefined;
    return start(context, { to: before.idle, plan, reason, direct });
}

export interface Running {
    readonly pods: PerColour<Pods>;
    /** The colour with the least of the traffic. */
    readonly idle: Colour;
}

/** What the cluster has; undefined before the first deploy. */
async function running({ api }: Context): Promise<Running | undefined> {
    const route = await readRoute(api).catch((error: unknown) => {
        if (error instanceof ReleaseError) return undefined;
        throw error;
    });
    if (!route) return undefined;
    const pods = await podsOfBoth(clusterCapacity(api));
    const weights = routeWeights(route);
    return { pods, idle: weights.green > weights.blue ? "blue" : "green" };
}

async function refuseBesideSwitch({ store }: Context): Promise<void> {
    const { state } = await store.read();
    if (!state || isOver(state)) return;
    throw new ReleaseError(
        `a switch to ${state.to} is under way (${state.phase}): end it first, by promote or rollback`,
    );
}

/** Whether the colour with the traffic runs the given version already: putting it on the other is no release. */
export function isServing(
    { image, version }: Pick<DeployOptions, "image" | "version">,
    { pods, idle }: Running,
): boolean {
    const active = pods[otherColour(idle)];
    return image !== undefined && active.image === image && active.version === version;
}

/** @returns the keys that were written */
async function writeVersion(
    { stack, image, version }: DeployOptions,
    idle: Colour | undefined,
): Promise<readonly string[]> {
    if (image === undefined && version === undefined) return [];
    if (image === undefined || version === undefined) {
        const [given, missing] = image === undefined ? ["version", "image"] : ["image", "version"];
        throw new ReleaseError(`--${missing} is not set; allowed: one, since --${given} is set`);
    }
    if (idle === undefined) {
        throw new ReleaseError(
            "there is no idle colour before the first deploy: set blue.image and green.image in the stack's config",
        );
    }
    const written = { [`${idle}.image`]: image, [`${idle}.version`]: version };
    await setStackConfig(stack, written);
    return Object.keys(written);
}

/** Colours of which the stack's config, or what is given over it, says another image or version than runs. */
async function changedIn(
    stack: string,
    config: Readonly<Record<string, string>>,
    pods: PerColour<Pods>,
): Promise<readonly Colour[]> {
    const file = trackedFile(stack);
    const changed: Colour[] = [];
    for (const colour of COLOURS) {
        const valueOf = async (key: string) => config[key] ?? (await readConfig(file, key));
        const image = await valueOf(`${colour}.image`);
        const version = await valueOf(`${colour}.version`);
        const isSame =
            (image === undefined || image === pods[colour].image) &&
            (version === undefined || version === pods[colour].version);
        if (!isSame) changed.push(colour);
    }
    return changed;
}
