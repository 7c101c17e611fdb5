import { invalidValue, suggestNearest } from "@property-search/contract";
import { ClusterError, type Cluster } from "../cluster/connect.ts";
import {
    createRecord,
    isDeployedByApply,
    readRecord,
    writeRecord,
} from "../deploy/apply/record.ts";
import { EXTERNALLY_ISSUED_SECRETS } from "./steps.ts";
import { completeSecrets } from "../stack/secrets.ts";

/** Externally issued secrets that a stack may need before its first deploy. */
export const ISSUED_SECRETS: readonly string[] = [
    ...EXTERNALLY_ISSUED_SECRETS,
    "certificates.acmeKey",
    "certificates.dns01Secret",
];

interface IssuedSecret {
    readonly cluster: Cluster;
    readonly stack: string;
    /** One of ISSUED_SECRETS. */
    readonly secret: string;
    readonly value: string;
    /** What Pulumi lacks on this machine; undefined if it can run. */
    readonly missing: string | undefined;
}

/**
 * Stores a secret for deploys without Pulumi, in the stack's record on its cluster.
 *
 * @throws ClusterError for an unknown key, an empty value, or a stack whose secrets Pulumi stores
 */
export async function storeIssuedSecret(options: IssuedSecret): Promise<void> {
    const { cluster, stack, secret, value, missing } = options;
    readIssuedSecret(secret);
    if (value === "") {
        throw new ClusterError(
            `${secret} has no value; allowed: the value from its issuer, by standard input`,
        );
    }
    const isPulumiStack = missing === undefined && process.env.DEPLOY !== "apply";
    if (isPulumiStack && !(await isDeployedByApply(cluster, stack))) {
        throw new ClusterError(
            `Pulumi stores the secrets of stack ${stack}: pulumi config set --secret ${secret} ` +
                `--stack ${stack}; DEPLOY=apply stores it for deploys without Pulumi`,
        );
    }
    // All generated secrets are added: a deploy generates none for an existing record.
    const { secrets } = completeSecrets((await readRecord(cluster, stack))?.secrets ?? {});
    const record = await createRecord(cluster, stack, secrets);
    const all = { ...secrets, ...record.secrets, [secret]: value };
    await writeRecord(cluster, stack, { ...record, secrets: all });
}

/** Parses the key of a secret that can be stored. */
export function readIssuedSecret(secret: string): string {
    if (ISSUED_SECRETS.includes(secret)) return secret;
    const hint = suggestNearest(secret, ISSUED_SECRETS);
    throw invalidValue("SECRET", secret, ISSUED_SECRETS.join(", "), hint);
}
