import { Tokenizer } from "@huggingface/tokenizers";

/** @returns the ids of a text's tokens, with the model's start and end marks. */
export type Tokenize = (text: string) => readonly number[];

/** @param definition content of tokenizer.json */
export function openTokenizer(definition: string): Tokenize {
    // The package's declarations import without file extensions, which Node's resolution rejects.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-call
    const tokenizer = new Tokenizer(JSON.parse(definition) as object, {}) as unknown as {
        encode: (text: string) => { ids: number[] };
    };
    return (text) => tokenizer.encode(text).ids;
}
