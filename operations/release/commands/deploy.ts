import {
    COLOURS,
    invalidValue,
    otherColour,
    type Colour,
    type PerColour,
} from "@property-search/contract";
import { configuredWeights } from "../../deploy/configuredWeights.ts";
import { deploy } from "../../deploy/deploy.ts";
import { givenConfig } from "../../deploy/apply/record.ts";
import { readConfig, setConfig } from "../../deploy/pulumi/stackFile.ts";
import { RenderError } from "../../stack/render.ts";
import { routeWeights } from "../../shared/route.ts";
import { stackApiKey } from "../../deploy/pulumi/secret.ts";
import { trackedFile } from "../../deploy/pulumi/workspace.ts";
import { verify } from "../../deploy/verify.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { clusterCapacity, podsOfBoth, type Pods } from "../capacity/capacity.ts";
import { IMAGE, LABEL_VALUE } from "../../../config/allowed.ts";
import { ReleaseError } from "../error.ts";
import type { Plan } from "../plan.ts";
import { isOver, type Switch } from "../state.ts";
import { readRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";
import { start } from "./start.ts";

/** An image, and the version that its pods are labelled with. */
export interface NewVersion {
    readonly image: string;
    readonly version: string;
}

export interface DeployOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly kubeconfig?: string | undefined;
    readonly plan: Plan;
    /** Kept with the switch. */
    readonly reason: string;
    /** Whether the switch goes past the one who owns the weights. */
    readonly direct: boolean;
    /** For the idle colour. Default: what the stack's config says. */
    readonly newVersion?: NewVersion | undefined;
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
    const replaced =
        before && isServing(options.newVersion, before)
            ? {}
            : await writeVersion(options, before?.idle);
    const config = Object.fromEntries(given.filter(([key]) => !(key in replaced)));
    const changed = before ? await changedIn(stack, config, before.pods) : [];
    if (before && !inPlace && changed.includes(otherColour(before.idle))) {
        const active = otherColour(before.idle);
        throw new ReleaseError(
            `${active} serves, and its image or version in Pulumi.${stack}.yaml is another than the one that runs: ` +
                `put the new version on ${before.idle} (make deploy IMAGE=… VERSION=…), or set IN_PLACE=1`,
        );
    }
    const deployed = await restoreIfRejected(trackedFile(stack), replaced, () =>
        deploy({
            stack,
            context: cluster.context,
            config,
            ...(options.kubeconfig !== undefined && { kubeconfig: options.kubeconfig }),
            report,
            ...(signal && { signal }),
        }),
    );
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
export function isServing(given: NewVersion | undefined, { pods, idle }: Running): boolean {
    const active = pods[otherColour(idle)];
    return active.image === given?.image && active.version === given.version;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Deploys what was written into a stack's file. Where the program rejects the config the values before come back: each
 * later update, such as a switch's way back, would be rejected for these, too.
 */
export async function restoreIfRejected<T>(
    file: string,
    replaced: Values,
    deploy: () => Promise<T>,
): Promise<T> {
    try {
        return await deploy();
    } catch (error) {
        if (error instanceof RenderError) await setConfig(file, replaced);
        throw error;
    }
}

/**
 * For a command line: a new version, checked as far as its own words tell, before a cluster is asked for.
 *
 * @throws UserError where one of both is missing, or is what no stack's config may have
 */
export function readNewVersion(
    image: string | undefined,
    version: string | undefined,
): NewVersion | undefined {
    if (image !== undefined && !IMAGE.fits(image)) throw invalidValue("IMAGE", image, IMAGE.words);
    if (version !== undefined && !LABEL_VALUE.fits(version)) {
        throw invalidValue("VERSION", version, LABEL_VALUE.words);
    }
    if (image !== undefined && version !== undefined) return { image, version };
    if (image === undefined && version === undefined) return undefined;
    const [given, missing] = image === undefined ? ["VERSION", "IMAGE"] : ["IMAGE", "VERSION"];
    throw invalidValue(missing, "", `a value, since ${given} is set`);
}

/** @returns the values that were replaced, by key */
async function writeVersion(
    { stack, newVersion }: DeployOptions,
    idle: Colour | undefined,
): Promise<Values> {
    if (!newVersion) return {};
    if (idle === undefined) {
        throw new ReleaseError(
            "there is no idle colour before the first deploy: set blue.image and green.image in the stack's config",
        );
    }
    const file = trackedFile(stack);
    const written = {
        [`${idle}.image`]: newVersion.image,
        [`${idle}.version`]: newVersion.version,
    };
    const replaced = Object.keys(written).map(async (key) => [key, await readConfig(file, key)]);
    const before = Object.fromEntries(await Promise.all(replaced)) as Values;
    await setConfig(file, written);
    return before;
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
