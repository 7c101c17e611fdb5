import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { EXAMPLE_TENANT, METRICS } from "@property-search/contract";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { eventually } from "../../../app/test/support/eventually.ts";
import { modelDirectory } from "../../../app/test/support/model.ts";
import { startService, type Service } from "../../../app/test/support/service.ts";
import { exampleApiKey } from "../../../components/embeddingService/tenants.ts";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { startExample } from "./support/example.ts";

const API_KEY = exampleApiKey("the key of the platform");

let folder: string;
let service: Service;

beforeAll(async () => {
    folder = makeTemporaryFolder();
    const sha256 = createHash("sha256").update(API_KEY).digest("hex");
    const file = path.join(folder, "tenants.json");
    const tenants = [{ id: EXAMPLE_TENANT, keys: [{ sha256 }] }];
    await writeFile(file, JSON.stringify({ tenants }));
    const required = { ANONYMOUS: "false", TENANTS_FILE: file };
    service = await startService({ MODEL_DIR: modelDirectory(), ...required });
});

afterAll(async () => {
    await service.stop();
});

test("the service knows the example by its derived key, and counts its requests", async () => {
    const example = await startExample(service.url, { EMBEDDING_API_KEY: API_KEY });
    try {
        await example.ready;
        const { text } = await service.get("/metrics");
        const counted = text
            .split("\n")
            .filter((line) => line.startsWith(`${METRICS.tokensBilled}{`));
        const ours = counted.filter((line) => line.includes(`tenant="${EXAMPLE_TENANT}"`));
        expect(ours.some((line) => Number(line.split(" ").at(-1)) > 0)).toBe(true);
    } finally {
        await example.stop(0);
    }
});

test("without a key it is never ready, and says why, without the key", async () => {
    const key = "a-key-that-nobody-knows";
    const example = await startExample(service.url, { EMBEDDING_API_KEY: key });
    try {
        await eventually("it says why", () => example.lines.length > 0);
        expect(example.lines[0]).toMatch(/^Not ready: The embeddings API failed: 401 /);
        expect(example.lines.join()).not.toContain(key);
        expect((await fetch(`${example.url}/readyz`)).status).toBe(503);
    } finally {
        await example.stop(0);
    }
});
