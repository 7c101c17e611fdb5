/** A JSON body of an API is at most a few megabytes: 32 vectors of 4,096 numbers as text. */
const MAX_BYTES = 4 << 20;
const MAX_REASON_CHARACTERS = 200;

/** `fetch` that ends at a body that is too long: an API without an end would fill the memory until the timeout. */
export const boundedFetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    let bytes = 0;
    const limit = new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
            bytes += chunk.byteLength;
            if (bytes <= MAX_BYTES) controller.enqueue(chunk);
            else controller.error(new Error(`the response has more than ${MAX_BYTES} bytes`));
        },
    });
    return new Response(response.body.pipeThrough(limit), response);
};

/** Why an API failed, for clients: short, and without the key, which some APIs repeat in their errors. */
export function reasonOf(error: unknown, apiKey: string): string {
    // The SDK reads answers without a check; failed connections are errors of its own.
    const words =
        error instanceof TypeError
            ? "its answer has another form than that of the OpenAI API"
            : error instanceof Error
              ? error.message
              : String(error);
    const safe = apiKey === "" ? words : words.replaceAll(apiKey, "…");
    return safe.slice(0, MAX_REASON_CHARACTERS);
}
