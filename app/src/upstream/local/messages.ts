/** What a worker is started with: paths of the model's files. */
export interface WorkerData {
    readonly model: string;
    readonly tokenizer: string;
}

export interface WorkerRequest {
    readonly texts: readonly string[];
}

/** Ends the thread after the requests that it already has. */
export const END = "end";

export type WorkerMessage = WorkerRequest | typeof END;

export type WorkerAnswer =
    | { readonly kind: "ready"; readonly dimensions: number }
    | {
          readonly kind: "embedded";
          /** One after the other, `dimensions` values each. */
          readonly vectors: Float32Array<ArrayBuffer>;
          /** Tokens that were read, with the model's start and end marks. */
          readonly tokens: readonly number[];
          readonly truncated: readonly boolean[];
      }
    | { readonly kind: "tooLong" }
    | { readonly kind: "failed"; readonly message: string };
