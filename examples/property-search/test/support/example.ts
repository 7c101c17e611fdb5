import { modelDirectory } from "../../../../app/test/support/model.ts";
import { startService, type Service } from "../../../../app/test/support/service.ts";
import { generateDataset, type Dataset } from "../../src/data/generate.ts";
import { serve, type RunningServer } from "../../src/server.ts";
import { readEnvironment } from "../../src/settings.ts";

/** Two areas: their texts are embedded within a second. */
export function smallDataset(): Dataset {
    const { listings, pois } = generateDataset();
    const isSmall = ({ area }: { readonly area: string }) => ["Hackney", "Peckham"].includes(area);
    return { listings: listings.filter(isSmall), pois: pois.filter(isSmall) };
}

/** The embedding service with the real model. */
export function startEmbeddingService(): Promise<Service> {
    return startService({ MODEL_DIR: modelDirectory() });
}

export interface Example extends RunningServer {
    readonly url: string;
    readonly lines: readonly string[];
}

/** The example in this process, on a free port. @param environment besides the URL of the service */
export async function startExample(
    serviceUrl: string,
    environment: Readonly<Record<string, string>> = {},
): Promise<Example> {
    const lines: string[] = [];
    const server = await serve({
        settings: {
            ...readEnvironment({ EMBEDDING_URL: `${serviceUrl}/v1`, ...environment }),
            port: 0,
        },
        print: (line) => lines.push(line),
        dataset: smallDataset(),
    });
    return { ...server, url: `http://127.0.0.1:${server.port}`, lines };
}
