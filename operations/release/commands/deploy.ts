import {
    COLOURS,
    invalidValue,
    otherColour,
    type Colour,
    type PerColour,
} from "@property-search/contract";
import { readConfiguredWeights } from "../../deploy/configuredWeights.ts";
import { deploy } from "../../deploy/deploy.ts";
import { readRecordedConfig } from "../../deploy/apply/record.ts";
import { readConfig, setConfig } from "../../deploy/pulumi/stackFile.ts";
import { RenderError } from "../../stack/render.ts";
import { routeWeights } from "../../shared/route.ts";
import { readStackApiKey } from "../../deploy/pulumi/secret.ts";
import { stackConfigFile } from "../../deploy/pulumi/workspace.ts";
import { verify, type VerifyResult } from "../../deploy/verify.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { clusterCapacity, readPods, type Pods } from "../capacity/capacity.ts";
import { IMAGE, LABEL_VALUE } from "../../../config/allowed.ts";
import { ReleaseError } from "../error.ts";
import type { Plan } from "../plan.ts";
import { hasEnded, type Switch } from "../state.ts";
import { readRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";
import { start } from "./start.ts";

/** An image and the version label of its pods. */
export interface NewVersion {
    readonly image: string;
    readonly version: string;
}

export interface DeployOptions {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly kubeconfig?: string | undefined;
    readonly plan: Plan;
    /** Recorded with the switch. */
    readonly reason: string;
    /** Whether the switch bypasses the owner of the weights. */
    readonly force: boolean;
    /** Version for the idle colour. Default: that of the stack's config */
    readonly newVersion?: NewVersion | undefined;
    /** Image of insights. Default: that of the stack's config */
    readonly insightsImage?: string | undefined;
    /** Image of the example, which has no effect on a stack without it. Default: that of the stack's config */
    readonly exampleImage?: string | undefined;
    /** Whether the active colour may be changed under traffic, by a rolling update. */
    readonly inPlace: boolean;
}

export interface Deployed {
    /** Undefined if no colour has a new version. */
    readonly state: Switch | undefined;
    /** What client requests have shown before the switch. */
    readonly verified: VerifyResult;
}

/**
 * Deploys a stack, verifies it with client requests, and shifts the traffic to the colour with a new version.
 */
export async function deployAndSwitch(context: Context, options: DeployOptions): Promise<Deployed> {
    const { cluster, stack, plan, reason, force, inPlace } = options;
    const { report, signal } = context;
    const before = await readRunning(context);
    if (before) await assertNoSwitchUnderWay(context);
    const recorded = Object.entries(await readRecordedConfig(cluster, stack));
    const replaced = await writeImages(options, before);
    const config = Object.fromEntries(recorded.filter(([key]) => !(key in replaced)));
    const changed = before ? await findChangedColours(stack, config, before.pods) : [];
    if (before && !inPlace && changed.includes(otherColour(before.idle))) {
        const active = otherColour(before.idle);
        throw new ReleaseError(
            `${active} is active, and its image or version in Pulumi.${stack}.yaml differs from the running one: ` +
                `deploy the new version to ${before.idle} (make deploy IMAGE=… VERSION=…), or set IN_PLACE=1`,
        );
    }
    const deployed = await restoreIfRejected(stackConfigFile(stack), replaced, () =>
        deploy({
            stack,
            context: cluster.context,
            config,
            kubeconfig: options.kubeconfig,
            report,
            signal,
        }),
    );
    report(`deployed in ${deployed.seconds.toFixed(0)} s: ${deployed.summary}`);
    const verified = await verify({
        cluster,
        apiKey: deployed.platformKey ?? (await readStackApiKey({ cluster, stack, report })),
        expected: await readConfiguredWeights(cluster, stack),
        report,
        signal,
    });
    report(`verified ${verified.url}`);
    if (!before || !changed.includes(before.idle)) return { state: undefined, verified };
    return { state: await start(context, { to: before.idle, plan, reason, force }), verified };
}

export interface Running {
    readonly pods: PerColour<Pods>;
    /** The colour with less traffic. */
    readonly idle: Colour;
}

/** Reads the deployed versions; undefined before the first deploy. */
async function readRunning({ api }: Context): Promise<Running | undefined> {
    const route = await readRoute(api).catch((error: unknown) => {
        if (error instanceof ReleaseError) return undefined;
        throw error;
    });
    if (!route) return undefined;
    const pods = await readPods(clusterCapacity(api));
    const weights = routeWeights(route);
    return { pods, idle: weights.green > weights.blue ? "blue" : "green" };
}

async function assertNoSwitchUnderWay({ store }: Context): Promise<void> {
    const { state } = await store.read();
    if (!state || hasEnded(state)) return;
    throw new ReleaseError(
        `a switch to ${state.to} is in progress (${state.phase}): end it first with promote or rollback`,
    );
}

/** Whether the active colour already runs this version, so that there is nothing to release. */
export function isServing(newVersion: NewVersion | undefined, { pods, idle }: Running): boolean {
    const active = pods[otherColour(idle)];
    return active.image === newVersion?.image && active.version === newVersion.version;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Deploys with the values that were written into a stack's file, and restores the previous values if the program rejects
 * the config: otherwise each later update, such as a rollback, would be rejected too.
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
 * Parses a new version before a cluster is contacted.
 *
 * @throws UserError if only one of the two is set, or one is invalid in a stack's config
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

/** Writes the images of a deploy into the stack's file. @returns the replaced values by key */
async function writeImages(
    { stack, newVersion, ...images }: DeployOptions,
    running: Running | undefined,
): Promise<Values> {
    const isNew = newVersion && !(running && isServing(newVersion, running));
    const file = stackConfigFile(stack);
    const written = {
        ...(isNew && versionValues(newVersion, running?.idle)),
        ...(await partImages(file, images)),
    };
    const replaced = Object.keys(written).map(async (key) => [key, await readConfig(file, key)]);
    const before = Object.fromEntries(await Promise.all(replaced)) as Values;
    await setConfig(file, written);
    return before;
}

/** Config values of the images of parts. That of the example would be useless on a stack without it. */
export async function partImages(
    file: string,
    { insightsImage, exampleImage }: Pick<DeployOptions, "insightsImage" | "exampleImage">,
): Promise<Readonly<Record<string, string>>> {
    const hasExample = String(await readConfig(file, "example.enabled")) === "true";
    return {
        ...(insightsImage !== undefined && { "insights.image": insightsImage }),
        ...(exampleImage !== undefined && hasExample && { "example.image": exampleImage }),
    };
}

function versionValues({ image, version }: NewVersion, idle: Colour | undefined): Values {
    if (idle !== undefined) return { [`${idle}.image`]: image, [`${idle}.version`]: version };
    throw new ReleaseError(
        "there is no idle colour before the first deploy: set blue.image and green.image in the stack's config",
    );
}

/** Finds the colours whose configured image or version differs from the running one. */
async function findChangedColours(
    stack: string,
    config: Readonly<Record<string, string>>,
    pods: PerColour<Pods>,
): Promise<readonly Colour[]> {
    const file = stackConfigFile(stack);
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
