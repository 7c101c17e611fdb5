import { Readable } from "node:stream";

import { expect, test } from "@jest/globals";

import { headOf } from "../../src/admin/transfers/form.ts";
import { importLines, type ImportParts } from "../../src/admin/transfers/import.ts";
import { embeddingOf } from "../../src/vector/embedding.ts";
import { entryCodec, writerOf } from "../../src/vector/entry.ts";
import { trueVector } from "../support/vectors.ts";

const codec = entryCodec({ precision: "float32", writer: writerOf(["test"]) });
const space = {
    tenant: "anonymous",
    epoch: "0.0",
    provider: "openai",
    model: "m",
    revision: "r",
    space: "0123456789abcdef",
};

test("An entry whose storing was answered only the second time was written, and not kept", async () => {
    const now = Date.now();
    const life = { createdAt: now, freshUntil: now + 1_000, effort: 1 };
    const lines = ["a", "b"].map((name) => {
        const key = name.repeat(43);
        const { entry } = codec.seal(
            key,
            embeddingOf(trueVector(name), 1, false, life),
            space.space,
        );
        return JSON.stringify({ key, entry: entry.toString("base64") });
    });
    const upload = Readable.from([
        Buffer.from([JSON.stringify(headOf(space)), ...lines, '{"end":2}', ""].join("\n")),
    ]);
    const tried = new Set<string>();
    const parts = {
        codec,
        store: {
            // Of the first, the answer is lost once; the second was there before.
            putIfNewer: ({ key }: { key: string }) => {
                if (key.startsWith("b") || tried.has(key)) return Promise.resolve("same");
                tried.add(key);
                return Promise.reject(new Error("Command timed out"));
            },
        },
        withdrawals: { covers: () => false },
        trials: { trusted: () => true },
        spaceOf: () => space,
        lengthFault: () => undefined,
        ttlSeconds: 60,
        staleSeconds: 60,
    } as unknown as ImportParts;
    const progress = {
        lines: 0,
        written: 0,
        kept: 0,
        refused: 0,
        refusals: [],
        complete: false,
    };
    await importLines(parts, upload, progress, () => undefined);
    expect(progress).toMatchObject({ written: 1, kept: 1, refused: 0, complete: true });
});
