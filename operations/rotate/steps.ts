import {
    GENERATED_SECRETS,
    invalidValue,
    OVERLAPPING_SECRETS,
    suggestNearest,
    type OverlappingSecret,
} from "@property-search/contract";
import { ClusterError } from "../cluster/connect.ts";
import { RenderError } from "../stack/render.ts";
import { generateSecret } from "../stack/secrets.ts";
import type { SecretStore } from "./store.ts";

/** Externally issued secrets: a rotation receives their new value. */
export const EXTERNALLY_ISSUED_SECRETS = [
    "service.upstreamApiKey",
    "service.upstreamFallbackApiKeys",
    "alerts.slackUrl",
    "insights.slackUrl",
    "monitoring.remoteWriteToken",
    "prometheus.token",
    "images.dockerConfigJson",
    "example.chatApiKey",
] as const;

const ROTATABLE: readonly string[] = [...GENERATED_SECRETS, ...EXTERNALLY_ISSUED_SECRETS];

export interface Rotation {
    /** One of ROTATABLE. */
    readonly secret: string;
    /** The new value. Default: a generated one. */
    readonly value?: string | undefined;
    /** Whether to revoke a predecessor that clients outside of the stack may still use. */
    readonly finish: boolean;
    readonly store: SecretStore;
    /** Deploys the stack with the stored secrets and waits until its pods are ready. */
    readonly deploy: () => Promise<void>;
    /** Waits until every checker of the secret accepts or rejects a value. */
    readonly waitForAnswers: (
        secret: OverlappingSecret,
        value: string,
        answer: "accepted" | "rejected",
    ) => Promise<void>;
    readonly report: (line: string) => void;
}

/**
 * Rotates a secret of a stack. During the rotation, the stack accepts both values of a secret that it checks itself, so that
 * no request fails. The store alone holds the progress: the same command completes a rotation that was killed. The caller
 * has validated the options with checkRotation.
 */
export async function rotate(rotation: Rotation): Promise<void> {
    const { secret } = rotation;
    if (isOverlapping(secret)) await rotateOverlapping(rotation, secret);
    else await replace(rotation, isExternallyIssued(secret));
}

/** Parses the key of a secret that can be rotated. */
export function readRotatable(secret: string): string {
    if (ROTATABLE.includes(secret)) return secret;
    throw invalidValue("SECRET", secret, ROTATABLE.join(", "), suggestNearest(secret, ROTATABLE));
}

/**
 * Validates the options of a rotation without a cluster.
 *
 * @throws UserError for a secret that cannot be rotated, or a missing or unneeded value
 */
export function checkRotation({
    secret,
    value,
    finish,
}: Pick<Rotation, "secret" | "value" | "finish">): void {
    readRotatable(secret);
    if (isExternallyIssued(secret) && (value === undefined || value === "")) {
        throw new ClusterError(
            `${secret} has no new value; allowed: the value from its issuer, by standard input`,
        );
    }
    if (finish && secret !== "tenants.platformKey") {
        throw new ClusterError(`FINISH is set; allowed: for tenants.platformKey only`);
    }
}

/** Whether a secret is externally issued, so that a rotation needs its value. */
export function isExternallyIssued(secret: string): boolean {
    return EXTERNALLY_ISSUED_SECRETS.some((one) => one === secret);
}

function isOverlapping(secret: string): secret is OverlappingSecret {
    return secret in OVERLAPPING_SECRETS;
}

/** Rotates in one step: readers get the new value with new pods or updated files. */
async function replace(
    { secret, value = generateSecret(), store, deploy, report }: Rotation,
    hasIssuer: boolean,
): Promise<void> {
    const old = await store.read(secret);
    await store.write({ [secret]: value });
    try {
        await deploy();
    } catch (error) {
        // A rejected value would fail every later deploy too.
        if (error instanceof RenderError) await store.write({ [secret]: old });
        throw error;
    }
    report(`${secret} is rotated`);
    if (hasIssuer)
        report(
            "revoke the old value at its issuer in two minutes: mounted files are updated by then",
        );
}

async function rotateOverlapping(rotation: Rotation, secret: OverlappingSecret): Promise<void> {
    const { store, deploy, waitForAnswers, report, value, finish } = rotation;
    const { next, previous } = OVERLAPPING_SECRETS[secret];
    const predecessor = await store.read(previous);
    const isUnderWay = (await store.read(next)) !== undefined;
    if (predecessor === undefined && finish && !isUnderWay) {
        // The store has no predecessor, but pods may still accept it if an earlier end was killed.
        await deploy();
        report(`${secret} has no predecessor: only the current value is accepted`);
        return;
    }
    if (predecessor === undefined || isUnderWay) {
        await introduce(rotation, secret, value);
        if (secret === "tenants.platformKey") {
            report(
                "the old key is accepted until `make rotate SECRET=tenants.platformKey FINISH=1`",
            );
            return;
        }
    } else if (secret === "tenants.platformKey" && !finish) {
        throw new ClusterError(
            `the predecessor of ${secret} is still accepted: revoke it first (FINISH=1)`,
        );
    } else await deploy();
    const old = await store.read(previous);
    await store.write({ [previous]: undefined });
    await deploy();
    if (old !== undefined) await waitForAnswers(secret, old, "rejected");
    report(`${secret}: the old value is rejected everywhere`);
}

/** Introduces the successor: all checkers accept it before any user sends it. */
async function introduce(
    { store, deploy, waitForAnswers, report }: Rotation,
    secret: OverlappingSecret,
    value: string | undefined,
): Promise<void> {
    const { next, previous } = OVERLAPPING_SECRETS[secret];
    const successor = (await store.read(next)) ?? value ?? generateSecret();
    await store.write({ [next]: successor });
    report(`${secret}: both the new and the old value are accepted`);
    await deploy();
    await waitForAnswers(secret, successor, "accepted");
    const current = await store.read(secret);
    // In this order: a store that writes key by key may be killed between two writes.
    const old = current === successor ? await store.read(previous) : current;
    await store.write({ [previous]: old, [secret]: successor });
    report(`${secret}: the new value is used`);
    await deploy();
    await waitForAnswers(secret, successor, "accepted");
    // Last: until now users may have the old value. The objects are the same with and without this key.
    await store.write({ [next]: undefined });
}
