import { request } from "undici";

const TIMEOUT_MILLISECONDS = 60_000;

/** @returns the status, or the error code if there is no answer */
export async function send(
    url: URL,
    body: Buffer | string,
): Promise<{ status: string; body: Buffer }> {
    try {
        const answer = await request(url, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
            bodyTimeout: TIMEOUT_MILLISECONDS,
            headersTimeout: TIMEOUT_MILLISECONDS,
        });
        return {
            status: String(answer.statusCode),
            body: Buffer.from(await answer.body.arrayBuffer()),
        };
    } catch (error) {
        return {
            status: (error as NodeJS.ErrnoException).code ?? String(error),
            body: Buffer.alloc(0),
        };
    }
}
