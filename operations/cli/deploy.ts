import { NAMESPACES, invalidValue } from "@property-search/contract";
import type { Command } from "commander";
import { writeFileSync } from "node:fs";
import { listVolumes } from "../deploy/apply/foreign.ts";
import { isDeployedByApply } from "../deploy/apply/record.ts";
import { assertNoData, describeRemoval, removeStack } from "../deploy/apply/remove.ts";
import { IMAGE } from "../../config/allowed.ts";
import { unbind } from "../deploy/binding.ts";
import { readConfiguredWeights } from "../deploy/configuredWeights.ts";
import { connectStack } from "../deploy/connectStack.ts";
import { requestedMethod } from "../deploy/deploy.ts";
import { pulumiDestroy } from "../deploy/pulumi/destroy.ts";
import { PreviewError, pulumiPreview, requirePreview } from "../deploy/pulumi/preview.ts";
import { readStackApiKey } from "../deploy/pulumi/secret.ts";
import { describeTunedSettings } from "../deploy/tunedSettings.ts";
import {
    checkAfterDeploy,
    checksOfVerify,
    formatChecks,
    NOT_VERIFIED,
} from "../deploy/afterDeploy.ts";
import { verify } from "../deploy/verify.ts";
import { deployAndSwitch, readNewVersion } from "../release/commands/deploy.ts";
import { parsePlan } from "../release/plan.ts";
import { chooseKubeconfig, localStack } from "../stack/localCluster.ts";
import { parseOutputFile } from "./files.ts";
import { reportEnd, createSwitchContext, withPlanOptions, type SwitchFlags } from "./switch.ts";
import { interruption, withStackOptions, report, type StackTarget, type Target } from "./target.ts";

interface DeployFlags extends SwitchFlags {
    readonly stack: string;
    readonly image?: string;
    readonly version?: string;
    readonly insightsImage?: string;
    readonly exampleImage?: string;
    readonly inPlace: boolean;
}

interface PreviewFlags extends StackTarget {
    readonly drift: boolean;
    readonly report?: string;
}

/** Commands that deploy, preview, verify and remove a stack. */
export function addDeployCommands(program: Command): void {
    withPlanOptions(withStackOptions(program.command("deploy")))
        .description("deploy a stack, verify it, and roll out the colour with the new version")
        .option(
            "--image <reference>",
            "image of the new version, for the idle colour; default: the config's",
        )
        .option("--version <label>", "label of the new version")
        .option("--insights-image <reference>", "image of insights", readImage("INSIGHTS"))
        .option(
            "--example-image <reference>",
            "image of the example, where the stack has it",
            readImage("EXAMPLE"),
        )
        .option("--in-place", "allow changes to the active colour too", false)
        .action(deployStack);

    withStackOptions(program.command("preview"))
        .description("show what pulumi up would change, and policy violations")
        .option(
            "--drift",
            "compare the stack with the cluster, and fail if anything changed",
            false,
        )
        .option(
            "--report <file>",
            "write the report, or the error, to a file",
            parseOutputFile("REPORT"),
        )
        .action(previewStack);

    withStackOptions(program.command("verify"), "; default: that of `make up`")
        .description("verify a deployed stack with client requests")
        .action(verifyStack);

    withStackOptions(program.command("remove"))
        .description("remove the objects that a stack created")
        .option("--data <word>", "delete: remove its volumes too", readDataOption)
        .action(removeDeployedStack);
}

async function deployStack(given: DeployFlags): Promise<void> {
    const { image, version, insightsImage, exampleImage, inPlace, reason, force, ...flags } = given;
    const { stack } = flags;
    const newVersion = readNewVersion(image, version);
    requestedMethod();
    const plan = parsePlan(flags);
    const kubeconfig = chooseKubeconfig(flags);
    const cluster = await connectStack(flags);
    const options = { cluster, stack, kubeconfig, plan, reason, force, inPlace };
    const images = { newVersion, insightsImage, exampleImage };
    const { state, verified } = await deployAndSwitch(await createSwitchContext(flags), {
        ...options,
        ...images,
    });
    if (state) reportEnd(state, "promoted");
    else console.log(`Deployed ${stack}; no colour has a new version, so no traffic was shifted`);
    const { signal } = interruption;
    const read = await checkAfterDeploy(cluster, { signal });
    const checks = [...checksOfVerify(verified), ...read, ...NOT_VERIFIED];
    console.log(formatChecks(checks));
    if (checks.some(({ result }) => result === "failed")) process.exitCode = 1;
}

async function previewStack(flags: PreviewFlags): Promise<void> {
    const { drift, report: file, ...target } = flags;
    const writeReport = (text: string) => file !== undefined && writeFileSync(file, text);
    let tuned = "";
    try {
        await requirePreview(target.stack);
        const cluster = await connectStack(target);
        if (drift) tuned = await describeTunedSettings(cluster);
        const { signal } = interruption;
        const options = { cluster, stack: target.stack, drift, report, signal };
        const text = await pulumiPreview(options);
        writeReport(text + tuned);
        process.stdout.write(text + tuned);
    } catch (error) {
        const text = error instanceof PreviewError ? error.report : "";
        if (error instanceof Error) writeReport((text || `Error: ${error.message}\n`) + tuned);
        process.stdout.write(text + tuned);
        throw error;
    }
}

async function verifyStack({ stack = localStack(), ...target }: Target): Promise<void> {
    const cluster = await connectStack({ ...target, stack });
    const apiKey = await readStackApiKey({ cluster, stack, report });
    const configured = await readConfiguredWeights(cluster, stack);
    const { signal } = interruption;
    const { url, weights } = await verify({
        cluster,
        apiKey,
        expected: configured,
        report,
        signal,
    });
    console.log(`Verified ${url}: weights ${weights.blue}/${weights.green} are in force`);
}

async function removeDeployedStack({
    data,
    ...target
}: StackTarget & { data?: string }): Promise<void> {
    const deleteData = data !== undefined;
    const cluster = await connectStack(target);
    const { stack } = target;
    const { signal } = interruption;
    const isPulumiStack = !(await isDeployedByApply(cluster, stack));
    if (isPulumiStack && !deleteData) {
        assertNoData(stack, await listVolumes(cluster, Object.values(NAMESPACES)));
    }
    const destroyed = isPulumiStack ? await pulumiDestroy({ cluster, stack, report, signal }) : 0;
    // A deploy by Pulumi records its config overrides, too.
    const removed = await removeStack(cluster, stack, { deleteData, report, signal });
    await unbind(cluster, stack);
    for (const what of removed?.remaining ?? []) console.log(`  kept: ${what}`);
    console.log(describeRemoval(stack, cluster.context, destroyed, removed));
}

function readImage(variable: string) {
    return (text: string): string => {
        if (IMAGE.fits(text)) return text;
        throw invalidValue(variable, text, IMAGE.words);
    };
}

function readDataOption(text: string): string {
    if (text === "delete") return text;
    throw invalidValue("DATA", text, "delete, or not set");
}
