import type { Handler } from "./exchange.ts";

/** The client disconnected before the end of its body. */
const CLIENT_CLOSED_REQUEST = 499;

/** @param onEnd called with the status of each response, or 499 if the client disconnects within its body */
export function withRequestCount(handler: Handler, onEnd: (code: number) => void): Handler {
    return (request, response) => {
        const { method, url, rawHeaders } = request;
        handler(
            {
                method,
                url,
                rawHeaders,
                bufferedBody: () => request.bufferedBody(),
                readInto: (sink) =>
                    request.readInto({
                        ...sink,
                        onAborted: () => {
                            if (!response.isSent()) onEnd(CLIENT_CLOSED_REQUEST);
                            sink.onAborted();
                        },
                    }),
                resume: () => request.resume(),
            },
            {
                isSent: () => response.isSent(),
                send: (status, headers, body, close) => {
                    onEnd(status);
                    response.send(status, headers, body, close);
                },
                abort: () => response.abort(),
            },
        );
    };
}
