import { Readable } from "node:stream";

import { expect, test } from "@jest/globals";

import { createHeader } from "../../src/admin/transfers/exportFormat.ts";
import { importLines, type ImportDependencies } from "../../src/admin/transfers/import.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import { createEntryCodec, buildIdOf } from "../../src/vector/entry.ts";
import { trueVector } from "../support/vectors.ts";

const codec = createEntryCodec({ precision: "float32", buildId: buildIdOf(["test"]) });
const space = {
    tenant: "anonymous",
    epoch: "0.0",
    provider: "openai",
    model: "m",
    revision: "r",
    space: "0123456789abcdef",
};

test("An entry whose first write was not acknowledged counts as written, not as skipped", async () => {
    const now = Date.now();
    const life = { createdAt: now, freshUntil: now + 50_000, computeMilliseconds: 1 };
    const lines = ["a", "b"].map((name) => {
        const key = name.repeat(43);
        const { entry } = codec.encode(
            key,
            createEmbedding(trueVector(name), 1, false, life),
            space.space,
        );
        return JSON.stringify({ key, entry: entry.toString("base64") });
    });
    const upload = Readable.from([
        Buffer.from([JSON.stringify(createHeader(space)), ...lines, '{"end":2}', ""].join("\n")),
    ]);
    const triedKeys = new Set<string>();
    const parts = {
        codec,
        store: {
            // For the first entry, the response is lost once; the second one existed before.
            putIfNewer: ({ key }: { key: string }) => {
                if (key.startsWith("b") || triedKeys.has(key)) return Promise.resolve("same");
                triedKeys.add(key);
                return Promise.reject(new Error("Command timed out"));
            },
        },
        invalidations: { isInvalidated: () => false },
        quarantines: { isTrusted: () => true },
        spaceOf: () => space,
        lengthError: () => undefined,
        longestTtlSeconds: () => 60,
        staleSeconds: 60,
    } as unknown as ImportDependencies;
    const progress = {
        lines: 0,
        written: 0,
        skipped: 0,
        rejected: 0,
        errors: [],
        complete: false,
    };
    await importLines(parts, upload, progress, () => undefined);
    expect(progress).toMatchObject({ written: 1, skipped: 1, rejected: 0, complete: true });
});
