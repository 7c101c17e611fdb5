/** Prints the output of a model for some words: node runModel.ts MODEL WORD… The runtime does not run within Jest. */
import * as onnx from "onnxruntime-node";

const [, , path = "", ...words] = process.argv;
const session = await onnx.InferenceSession.create(path, { logSeverityLevel: 3 });
const input = new onnx.Tensor("int64", BigInt64Array.from(words, BigInt), [words.length]);
const outputs = await session.run({ words: input });
console.log(JSON.stringify(Array.from((outputs.products?.data ?? []) as Float32Array)));
