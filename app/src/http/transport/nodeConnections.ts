import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Pending requests of the connections handled by node:http, and the final text of a connection. */
export interface NodeConnections {
    readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
    /** Whether a request has been answered while its body is still arriving. */
    readonly hasEarlyResponse: (socket: Socket) => boolean;
    /** Sends a final text and closes the connection, after the responses to earlier requests. */
    readonly endAfterResponses: (socket: Socket, finalText: string) => void;
}

interface State {
    pending: number;
    isPaused: boolean;
    last: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;
    finalText: string | undefined;
}

/** A connection with this many pending requests is not read any further. */
const MAX_PENDING = 32;

export function createNodeConnections(): NodeConnections {
    const states = new WeakMap<Socket, State>();

    function stateOf(socket: Socket): State {
        const none: State = { pending: 0, isPaused: false, last: undefined, finalText: undefined };
        const state = states.get(socket) ?? none;
        states.set(socket, state);
        return state;
    }

    /** A request that will never be complete gets no response. */
    function hasPendingResponses({ pending, last }: State): boolean {
        return pending > (last?.request.complete === false ? 1 : 0);
    }

    return {
        onRequest: (request, response) => {
            const { socket } = request;
            const state = stateOf(socket);
            state.pending += 1;
            state.last = { request, response };
            if (state.pending >= MAX_PENDING) {
                state.isPaused = true;
                socket.pause();
            }
            response.once("close", () => {
                state.pending -= 1;
                if (state.isPaused && state.pending < MAX_PENDING) {
                    state.isPaused = false;
                    socket.resume();
                }
                if (state.finalText !== undefined && !hasPendingResponses(state))
                    socket.end(state.finalText);
            });
        },
        hasEarlyResponse: (socket) => {
            const { last } = stateOf(socket);
            return last !== undefined && last.response.headersSent && !last.request.complete;
        },
        endAfterResponses: (socket, finalText) => {
            const state = stateOf(socket);
            // Nothing after bytes that are not HTTP can be HTTP.
            if (state.finalText !== undefined) return;
            state.finalText = finalText;
            if (!socket.writable) socket.destroy();
            else if (!hasPendingResponses(state)) socket.end(finalText);
        },
    };
}
