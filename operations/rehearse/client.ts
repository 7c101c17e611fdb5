import type { Cluster } from "../cluster/connect.ts";
import { readStackApiKey } from "../deploy/pulumi/secret.ts";
import { embed, KeyRejected, type GatewayClient } from "../gateway/client.ts";
import { createSend } from "../gateway/connection.ts";
import { findGateway } from "../gateway/endpoint.ts";

/**
 * A client of the stack, without an API key where the stack allows it: a stack that is restored from nothing has another
 * key.
 */
export async function openClient(cluster: Cluster, stack: string): Promise<GatewayClient> {
    const endpoint = await findGateway(cluster);
    const client = { url: endpoint.url, send: createSend(endpoint), apiKey: undefined };
    try {
        await embed(client, ["Two-bedroom flat near the park"]);
        return client;
    } catch (error) {
        if (!(error instanceof KeyRejected)) throw error;
        const report = () => undefined;
        return { ...client, apiKey: await readStackApiKey({ cluster, stack, report }) };
    }
}
