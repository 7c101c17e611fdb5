import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { seededRandom } from "../../../bench/shared/random.ts";
import { propertyRuns } from "../../../tests/support/property.ts";
import {
    encodeContent,
    encodeInteger,
    join as joinBytes,
    readFields,
    readPackedIntegers,
} from "../../src/reuse/model/protobuf.ts";
import { quantiseModel } from "../../src/reuse/model/quantiseModel.ts";

const [FLOAT, INT64] = [1, 7];
const [WORDS, LENGTH, OUTPUTS] = [5_000, 64, 96];

/** A model that looks up words in a table, and multiplies their rows with a matrix. */
function createModel(table: Float32Array, matrix: Float32Array): Uint8Array<ArrayBuffer> {
    const tensor = (name: string, dimensions: readonly number[], values: Float32Array) =>
        encodeContent(5, [
            ...encodeContent(1, [Uint8Array.from(dimensions.flatMap(varint))]),
            encodeInteger(2, FLOAT),
            ...encodeContent(8, name),
            ...encodeContent(9, [new Uint8Array(values.buffer)]),
        ]);
    const node = (operator: string, inputs: readonly string[], output: string) =>
        encodeContent(1, [
            ...inputs.flatMap((name) => encodeContent(1, name)),
            ...encodeContent(2, output),
            ...encodeContent(4, operator),
        ]);
    const value = (field: number, name: string, type: number, dimensions: readonly number[]) => {
        const shape = dimensions.flatMap((size) => encodeContent(1, [encodeInteger(1, size)]));
        const tensorType = [encodeInteger(1, type), ...encodeContent(2, shape)];
        return encodeContent(field, [
            ...encodeContent(1, name),
            ...encodeContent(2, encodeContent(1, tensorType)),
        ]);
    };
    return joinBytes([
        encodeInteger(1, 8),
        ...encodeContent(8, [encodeInteger(2, 17)]),
        ...encodeContent(7, [
            ...node("Gather", ["table", "words"], "rows"),
            ...node("MatMul", ["rows", "matrix"], "products"),
            ...encodeContent(2, "test"),
            ...tensor("table", [WORDS, LENGTH], table),
            ...tensor("matrix", [LENGTH, OUTPUTS], matrix),
            ...value(11, "words", INT64, [3]),
            ...value(12, "products", FLOAT, [3, OUTPUTS]),
        ]),
    ]);
}

function varint(value: number): readonly number[] {
    return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

const RUN = join(import.meta.dirname, "../support/runModel.ts");
let folder: string;

beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "models-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(model: Uint8Array, words: readonly number[]): Promise<readonly number[]> {
    const path = join(folder, `${model.length}.onnx`);
    await writeFile(path, model);
    const args = [RUN, path, ...words.map(String)];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as number[];
}

describe("a model in eight bits", () => {
    const random = seededRandom(1);
    const normal = (): number =>
        Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(6.283 * random());
    const table = Float32Array.from({ length: WORDS * LENGTH }, normal);
    const matrix = Float32Array.from({ length: LENGTH * OUTPUTS }, normal);
    // A row and a column of zeros have no scale.
    table.fill(0, 0, LENGTH);
    for (let row = 0; row < LENGTH; row += 1) matrix[row * OUTPUTS] = 0;
    const model = createModel(table, matrix);
    const quantised = quantiseModel(model);

    test("computes nearly the same", async () => {
        const words = [0, 17, WORDS - 1];
        const [wanted, found] = [await run(model, words), await run(quantised, words)];
        expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(10);
        const errors = wanted.map((value, at) => Math.abs(value - (found[at] ?? NaN)));
        expect(Math.max(...errors)).toBeGreaterThan(0);
        // Products of 64 numbers of size 1: their deviation is 8, and that of their rounding a hundredth of it.
        expect(Math.max(...errors)).toBeLessThan(0.5);
    });

    test("takes little more than a quarter of the memory", () => {
        expect(quantised.length).toBeLessThan(0.3 * model.length);
        expect(quantised.length).toBeGreaterThan(0.25 * model.length);
    });

    test("has nothing left that could be quantised", () => {
        expect(() => quantiseModel(quantised)).toThrow(
            "The model has no weights that can be quantised",
        );
    });

    test("is not made from anything else", () => {
        expect(() => quantiseModel(model.subarray(0, model.length - 1))).toThrow("is incomplete");
        expect(() => quantiseModel(new Uint8Array())).toThrow("no graph");
    });
});

test("fields are read as they were written, whatever their sizes", () => {
    const fields = fc.array(
        fc.record({
            number: fc.integer({ min: 1, max: 10_000 }),
            value: fc.oneof(fc.maxSafeNat(), fc.uint8Array({ maxLength: 300 })),
        }),
        { maxLength: 20 },
    );
    fc.assert(
        fc.property(fields, (written) => {
            const message = joinBytes(
                written.flatMap(({ number, value }) =>
                    typeof value === "number"
                        ? encodeInteger(number, value)
                        : encodeContent(number, [value]),
                ),
            );
            const read = readFields(message);
            expect(joinBytes(read.map(({ encoded }) => encoded))).toEqual(message);
            expect(
                read.map(({ number, integer, content }, at) => ({
                    number,
                    value: typeof written[at]?.value === "number" ? integer : content,
                })),
            ).toEqual(written);
        }),
        propertyRuns(300),
    );
});

test("a packed list has all of its integers", () => {
    const lists = fc.array(fc.maxSafeNat(), { maxLength: 20 });
    fc.assert(
        fc.property(lists, (list) => {
            const packed = Uint8Array.from(list.flatMap(varint));
            expect(readPackedIntegers(packed)).toEqual(list);
        }),
        propertyRuns(200),
    );
});
