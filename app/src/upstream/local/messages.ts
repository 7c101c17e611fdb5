/** Data passed to a new worker: paths of the model's files. */
export interface WorkerData {
    readonly model: string;
    readonly tokenizer: string;
}

export interface WorkerRequest {
    readonly texts: readonly string[];
}

/** Ends the thread after its pending requests. */
export const END = "end";

export type WorkerMessage = WorkerRequest | typeof END;

export type WorkerResponse =
    | { readonly kind: "ready"; readonly dimensions: number }
    | {
          readonly kind: "embedded";
          /** Concatenated vectors of `dimensions` values each. */
          readonly vectors: Float32Array<ArrayBuffer>;
          /** Number of tokens read, including the model's start and end tokens. */
          readonly tokens: readonly number[];
          readonly truncated: readonly boolean[];
      }
    | { readonly kind: "tooLong" }
    | { readonly kind: "failed"; readonly message: string };
