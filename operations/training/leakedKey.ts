import { COLOURS } from "@property-search/contract";
import { ClusterError } from "../cluster/connect.ts";
import { readStackApiKey } from "../deploy/pulumi/secret.ts";
import { assertKeyAccepted, KeyRejected, type GatewayClient } from "../gateway/client.ts";
import { createSend } from "../gateway/connection.ts";
import { findGateway } from "../gateway/endpoint.ts";
import type { Exercise, ExerciseTarget } from "./exercise.ts";

interface Saved {
    /** The key that must no longer be accepted. */
    readonly key: string;
}

/** The API key of the tenant "platform" is known to others. */
export const leakedKey: Exercise = {
    title: "Replace a leaked API key without a failed request",
    situation:
        "The API key of the tenant platform was pasted into a public chat. Replace it: the new key must work, and the old one " +
        "must be rejected at both colours.",
    prepare: async (target) => ({ key: await readKey(target) }) satisfies Saved,
    // The leak happened elsewhere.
    setUp: () => Promise.resolve(),
    check: async (target, { key }: Saved) => {
        const current = await readKey(target);
        const endpoint = await findGateway(target.cluster);
        const client = { url: endpoint.url, send: createSend(endpoint) };
        const problems = current === key ? ["the stack's key is still the leaked one"] : [];
        for (const colour of COLOURS) {
            const isAccepted = async (apiKey: string): Promise<boolean> => {
                const used: GatewayClient = { ...client, apiKey };
                return assertKeyAccepted(used, colour).then(() => true, rejectedOnly);
            };
            if (!(await isAccepted(current))) problems.push(`${colour} rejects the stack's key`);
            if (await isAccepted(key)) problems.push(`${colour} still accepts the leaked key`);
        }
        return problems;
    },
    // A new key is no damage: the stack's own tools read it where it is stored.
    reset: () => Promise.resolve(),
};

function rejectedOnly(error: unknown): false {
    if (error instanceof KeyRejected) return false;
    throw error;
}

async function readKey({ cluster, stack, report }: ExerciseTarget): Promise<string> {
    const key = await readStackApiKey({ cluster, stack, report });
    if (key !== undefined) return key;
    throw new ClusterError(`stack ${stack} has no API key that can be read`);
}
