import { withLiveFields, isSharedWithRelease } from "./coexistWithRelease.ts";
import { isUnderWay, type RecordedSwitch } from "../../shared/releaseRecord.ts";
import {
    ClusterError,
    keyOf,
    readIfExists,
    referenceOf,
    type Cluster,
    type Manifest,
} from "../../cluster/connect.ts";
import { forEachConcurrently } from "./concurrency.ts";
import { differences, type CompareOptions, type Difference } from "./compare.ts";
import { floorsOf } from "./ready.ts";

export interface ConfirmOptions {
    readonly cluster: Cluster;
    /** The declared objects. */
    readonly manifests: readonly Manifest[];
    /** The last switch: while it is in progress, the release driver owns weights and floors. */
    readonly lastSwitch: RecordedSwitch | undefined;
}

/** Marks an encrypted secret in the exported state of a Pulumi stack (pulumi/pulumi, sdk/go/common/resource). */
const SECRET_MARK = "4dabf18193072939515e22adb298388d";

/** Reported differences per object; a lost list has one, an object of another owner hundreds. */
const MAX_DIFFERENCES = 5;
const MAX_VALUE_CHARACTERS = 160;

/**
 * Compares every declared field with the live objects, for both deploy methods.
 *
 * @returns the number of compared objects
 * @throws ClusterError with each object and field that differs
 */
export async function confirmDeployed(options: ConfirmOptions): Promise<number> {
    const { cluster, manifests, lastSwitch } = options;
    const scaled = floorsOf(manifests);
    const wrong: string[] = [];
    await forEachConcurrently(manifests, async (manifest) => {
        const reference = referenceOf(manifest);
        const live = await readIfExists<Manifest>(cluster, reference);
        if (!live) {
            wrong.push(`${keyOf(reference)} is not on the cluster`);
            return;
        }
        const wanted =
            isUnderWay(lastSwitch) && isSharedWithRelease(manifest)
                ? withLiveFields(manifest, live)
                : manifest;
        const ignored = ignoredFields(manifest, scaled);
        const found = differences(toStoredForm(wanted), live, { ignored, isUnknown });
        wrong.push(...describeDifferences(manifest, found));
    });
    if (wrong.length === 0) return manifests.length;
    throw new ClusterError(
        `${wrong.length} fields on the cluster differ from the stack's declaration:\n` +
            wrong
                .sort()
                .map((line) => `  - ${line}`)
                .join("\n") +
            "\nAnother controller, a webhook or the API server has changed them. Find the owner with " +
            "kubectl get -o yaml --show-managed-fields, then deploy again.",
    );
}

/** Converts a Secret's stringData to data, as the server stores it. */
function toStoredForm(manifest: WithData): Manifest {
    const { stringData, data, ...rest } = manifest;
    if (manifest.kind !== "Secret" || stringData === undefined) return manifest;
    if (isUnknown(stringData)) return { ...rest, data: stringData } as WithData;
    const encoded = Object.entries(stringData).map(([key, value]): [string, unknown] => [
        key,
        typeof value === "string" ? Buffer.from(value).toString("base64") : value,
    ]);
    const stored: WithData = { ...rest, data: { ...data, ...Object.fromEntries(encoded) } };
    return stored;
}

interface WithData extends Manifest {
    readonly data?: Readonly<Record<string, unknown>>;
    readonly stringData?: Readonly<Record<string, unknown>>;
}

/** Ignores the replicas of a scaled workload: its autoscaler owns them. */
function ignoredFields(
    { kind, metadata }: Manifest,
    scaled: ReadonlyMap<string, number>,
): NonNullable<CompareOptions["ignored"]> {
    const isScaled = scaled.has(`${metadata.namespace ?? ""}/${metadata.name}`);
    // Fields that Pulumi's provider adds to the inputs.
    const always = [
        /^__/,
        /^metadata\.annotations\.pulumi\.com\//,
        /^metadata\.(namespace|creationTimestamp)$/,
        /^status$/,
    ];
    return isScaled && kind === "Deployment" ? [...always, /^spec\.replicas$/] : always;
}

/** An encrypted value is unknown. */
function isUnknown(value: unknown): boolean {
    return typeof value === "object" && value !== null && SECRET_MARK in value;
}

function describeDifferences(manifest: Manifest, found: readonly Difference[]): string[] {
    const key = keyOf(referenceOf(manifest));
    const isSecret = manifest.kind === "Secret";
    const lines = found.slice(0, MAX_DIFFERENCES).map(({ field, declared, live }) => {
        if (live === undefined) return `${key}: ${field} is missing`;
        if (isSecret) return `${key}: ${field} has another value`;
        return `${key}: ${field} is ${formatValue(live)}; declared: ${formatValue(declared)}`;
    });
    const more = found.length - lines.length;
    return more > 0 ? [...lines, `${key}: ${more} more fields`] : lines;
}

function formatValue(value: unknown): string {
    const text = JSON.stringify(value);
    return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}…` : text;
}
