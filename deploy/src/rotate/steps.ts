import {
    GENERATED_SECRETS,
    OVERLAPPING_SECRETS,
    type OverlappingSecret,
} from "@property-search/contract";
import { ClusterError } from "../apply/cluster.ts";
import { generateSecret } from "../secrets.ts";
import type { SecretStore } from "./store.ts";

/** Secrets that somebody else issues: a rotation is given their new value. */
export const GIVEN_SECRETS = [
    "service.upstreamApiKey",
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
 * was cut off is finished by the same command.
 *
 * @throws ClusterError for a secret that cannot be rotated, or a value that is missing or not asked for
 */
export async function rotate(rotation: Rotation): Promise<void> {
    const { secret, value, finish } = rotation;
    if (!ROTATABLE.includes(secret)) {
        throw new ClusterError(`SECRET is "${secret}"; allowed: ${ROTATABLE.join(", ")}`);
    }
    const isGiven = GIVEN_SECRETS.some((one) => one === secret);
    if (isGiven && (value === undefined || value === "")) {
        throw new ClusterError(
            `${secret} has no new value; allowed: what its issuer gave you, by standard input`,
        );
    }
    if (isOverlapping(secret)) await rotateOverlapping(rotation, secret);
    else if (finish) throw new ClusterError(`FINISH is set; allowed: for tenants.platformKey only`);
    else await replace(rotation, isGiven);
}

function isOverlapping(secret: string): secret is OverlappingSecret {
    return secret in OVERLAPPING_SECRETS;
}

/** One step: its readers get it by new pods, or by files that follow. */
async function replace(
    { secret, value = generateSecret(), store, deploy, report }: Rotation,
    isGiven: boolean,
): Promise<void> {
    await store.write({ [secret]: value });
    await deploy();
    report(`${secret} is replaced`);
    if (isGiven)
        report("revoke the old one at its issuer in two minutes: mounted files follow by then");
}

async function rotateOverlapping(rotation: Rotation, secret: OverlappingSecret): Promise<void> {
    const { store, deploy, settled, report, value, finish } = rotation;
    const { next, previous } = OVERLAPPING_SECRETS[secret];
    if (finish && secret !== "tenants.platformKey") {
        throw new ClusterError(`FINISH is set; allowed: for tenants.platformKey only`);
    }
    const former = await store.read(previous);
    if (former === undefined && finish) {
        throw new ClusterError(`${secret} has no predecessor that is still accepted`);
    }
    if (former === undefined || (await store.read(next)) !== undefined) {
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
    await store.write({ [previous]: old, [secret]: successor, [next]: undefined });
    report(`${secret}: the new value is used`);
    await deploy();
    await settled(secret, successor, "accepted");
}
