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

/** Secrets that somebody else issues: a rotation is given their new value. */
export const GIVEN_SECRETS = [
    "service.upstreamApiKey",
    "service.upstreamFallbackApiKeys",
    "alerts.slackUrl",
    "monitoring.remoteWriteToken",
    "prometheus.token",
    "images.dockerConfigJson",
] as const;

export const ROTATABLE: readonly string[] = [...GENERATED_SECRETS, ...GIVEN_SECRETS];

export interface Rotation {
    /** One of ROTATABLE. */
    readonly secret: string;
    /** The new value. Default: a generated one. */
    readonly value?: string | undefined;
    /** Ends a predecessor that people or tools outside of the stack may still use. */
    readonly finish: boolean;
    readonly store: SecretStore;
    /** Brings the stack to what the store has, and waits until its pods are ready. */
    readonly deploy: () => Promise<void>;
    /** Waits until everything that checks the secret accepts a value, or rejects it. */
    readonly settled: (
        secret: OverlappingSecret,
        value: string,
        answer: "accepted" | "rejected",
    ) => Promise<void>;
    readonly report: (line: string) => void;
}

/**
 * Replaces a secret of a stack. One that is checked inside of the stack is accepted under both values while
 * its users change over, so that no request fails. The store alone says how far a rotation is: one that
 * was cut off is finished by the same command. What is asked for has been checked by checkRotation.
 */
export async function rotate(rotation: Rotation): Promise<void> {
    const { secret } = rotation;
    if (isOverlapping(secret)) await rotateOverlapping(rotation, secret);
    else await replace(rotation, isGiven(secret));
}

/** For a command line: a secret that can be rotated. */
export function readRotatable(secret: string): string {
    if (ROTATABLE.includes(secret)) return secret;
    throw invalidValue("SECRET", secret, ROTATABLE.join(", "), suggestNearest(secret, ROTATABLE));
}

/**
 * Checks what a rotation was asked to do, for which no cluster is needed.
 *
 * @throws UserError for a secret that cannot be rotated, or a value that is missing or not needed
 */
export function checkRotation({
    secret,
    value,
    finish,
}: Pick<Rotation, "secret" | "value" | "finish">): void {
    readRotatable(secret);
    if (isGiven(secret) && (value === undefined || value === "")) {
        throw new ClusterError(
            `${secret} has no new value; allowed: what its issuer gave you, by standard input`,
        );
    }
    if (finish && secret !== "tenants.platformKey") {
        throw new ClusterError(`FINISH is set; allowed: for tenants.platformKey only`);
    }
}

/** Whether somebody else issues a secret, and a rotation is given its value. */
export function isGiven(secret: string): boolean {
    return GIVEN_SECRETS.some((one) => one === secret);
}

function isOverlapping(secret: string): secret is OverlappingSecret {
    return secret in OVERLAPPING_SECRETS;
}

/** One step: its readers get it by new pods, or by files that follow. */
async function replace(
    { secret, value = generateSecret(), store, deploy, report }: Rotation,
    hasIssuer: boolean,
): Promise<void> {
    const old = await store.read(secret);
    await store.write({ [secret]: value });
    try {
        await deploy();
    } catch (error) {
        // A value that the program rejects would fail every later deploy too.
        if (error instanceof RenderError) await store.write({ [secret]: old });
        throw error;
    }
    report(`${secret} is replaced`);
    if (hasIssuer)
        report("revoke the old one at its issuer in two minutes: mounted files follow by then");
}

async function rotateOverlapping(rotation: Rotation, secret: OverlappingSecret): Promise<void> {
    const { store, deploy, settled, report, value, finish } = rotation;
    const { next, previous } = OVERLAPPING_SECRETS[secret];
    const former = await store.read(previous);
    const isUnderWay = (await store.read(next)) !== undefined;
    if (former === undefined && finish && !isUnderWay) {
        // An end that was cut off has left the store without it, and maybe not the pods.
        await deploy();
        report(`${secret} has no predecessor: no value but its own is accepted`);
        return;
    }
    if (former === undefined || isUnderWay) {
        await introduce(rotation, secret, value);
        if (secret === "tenants.platformKey") {
            report(
                "the old key is accepted until `make rotate SECRET=tenants.platformKey FINISH=1`",
            );
            return;
        }
    } else if (secret === "tenants.platformKey" && !finish) {
        throw new ClusterError(
            `the predecessor of ${secret} is still accepted: end it first (FINISH=1), since three would be`,
        );
    } else await deploy();
    const old = await store.read(previous);
    await store.write({ [previous]: undefined });
    await deploy();
    if (old !== undefined) await settled(secret, old, "rejected");
    report(`${secret}: the old value is rejected everywhere`);
}

/** The successor is accepted everywhere before anybody uses it, and then everybody does. */
async function introduce(
    { store, deploy, settled, report }: Rotation,
    secret: OverlappingSecret,
    value: string | undefined,
): Promise<void> {
    const { next, previous } = OVERLAPPING_SECRETS[secret];
    const successor = (await store.read(next)) ?? value ?? generateSecret();
    await store.write({ [next]: successor });
    report(`${secret}: a new value is accepted beside the old one`);
    await deploy();
    await settled(secret, successor, "accepted");
    const current = await store.read(secret);
    // In this order: a store that writes key by key may be cut off between any two of them.
    const old = current === successor ? await store.read(previous) : current;
    await store.write({ [previous]: old, [secret]: successor });
    report(`${secret}: the new value is used`);
    await deploy();
    await settled(secret, successor, "accepted");
    // Last: until here its users may still have the old value. The objects are the same with it and without.
    await store.write({ [next]: undefined });
}
