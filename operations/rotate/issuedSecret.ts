import { invalidValue, suggestNearest } from "@property-search/contract";
import { ClusterError, type Cluster } from "../cluster/connect.ts";
import { createRecord, isApplied, readRecord, writeRecord } from "../deploy/apply/record.ts";
import { GIVEN_SECRETS } from "./steps.ts";
import { completeSecrets } from "../stack/secrets.ts";

/** Secrets that somebody else issues, and that a stack may need before its first deploy. */
export const ISSUED_SECRETS: readonly string[] = [
    ...GIVEN_SECRETS,
    "certificates.acmeKey",
    "certificates.dns01Secret",
];

interface IssuedSecret {
    readonly cluster: Cluster;
    readonly stack: string;
    /** One of ISSUED_SECRETS. */
    readonly secret: string;
    readonly value: string;
    /** What Pulumi lacks on this machine; undefined: nothing. */
    readonly missing: string | undefined;
}

/**
 * Stores a secret for the deploys of a stack without Pulumi, in the stack's record on its cluster.
 *
 * @throws ClusterError for a key that is none of these, no value, or a stack whose secrets Pulumi keeps
 */
export async function storeIssuedSecret(given: IssuedSecret): Promise<void> {
    const { cluster, stack, secret, value, missing } = given;
    readIssuedSecret(secret);
    if (value === "") {
        throw new ClusterError(
            `${secret} has no value; allowed: what its issuer gave you, by standard input`,
        );
    }
    const isPulumis = missing === undefined && process.env.DEPLOY !== "apply";
    if (isPulumis && !(await isApplied(cluster, stack))) {
        throw new ClusterError(
            `Pulumi keeps the secrets of stack ${stack}: pulumi config set --secret ${secret} ` +
                `--stack ${stack}; DEPLOY=apply stores it for deploys without Pulumi`,
        );
    }
    // Complete from the start: a deploy generates none of a record that exists.
    const { secrets } = completeSecrets((await readRecord(cluster, stack))?.secrets ?? {});
    const record = await createRecord(cluster, stack, secrets);
    const all = { ...secrets, ...record.secrets, [secret]: value };
    await writeRecord(cluster, stack, { ...record, secrets: all });
}

/** For a command line: a secret that can be stored. */
export function readIssuedSecret(secret: string): string {
    if (ISSUED_SECRETS.includes(secret)) return secret;
    const hint = suggestNearest(secret, ISSUED_SECRETS);
    throw invalidValue("SECRET", secret, ISSUED_SECRETS.join(", "), hint);
}
