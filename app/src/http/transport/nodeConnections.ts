import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Pending requests of the connections handled by node:http, and the final text of a connection. */
export interface Exchanges {
    readonly begin: (request: IncomingMessage, response: ServerResponse) => void;
    /** Whether a request has been answered while its body is still arriving. */
    readonly isAnswered: (socket: Socket) => boolean;
    /** Sends a final text and closes the connection, after the responses to earlier requests. */
    readonly afterAnswers: (socket: Socket, words: string) => void;
}

interface State {
    open: number;
    isPaused: boolean;
    last: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;
    words: string | undefined;
}

/** A connection with this many pending requests is not read any further. */
const MOST_OPEN = 32;

export function openExchanges(): Exchanges {
    const states = new WeakMap<Socket, State>();

    function stateOf(socket: Socket): State {
        const none: State = { open: 0, isPaused: false, last: undefined, words: undefined };
        const state = states.get(socket) ?? none;
        states.set(socket, state);
        return state;
    }

    /** A request that will never be complete gets no response. */
    function hasAnswersToCome({ open, last }: State): boolean {
        return open > (last?.request.complete === false ? 1 : 0);
    }

    return {
        begin: (request, response) => {
            const { socket } = request;
            const state = stateOf(socket);
            state.open += 1;
            state.last = { request, response };
            if (state.open >= MOST_OPEN) {
                state.isPaused = true;
                socket.pause();
            }
            response.once("close", () => {
                state.open -= 1;
                if (state.isPaused && state.open < MOST_OPEN) {
                    state.isPaused = false;
                    socket.resume();
                }
                if (state.words !== undefined && !hasAnswersToCome(state)) socket.end(state.words);
            });
        },
        isAnswered: (socket) => {
            const { last } = stateOf(socket);
            return last !== undefined && last.response.headersSent && !last.request.complete;
        },
        afterAnswers: (socket, words) => {
            const state = stateOf(socket);
            // Nothing after bytes that are not HTTP can be HTTP.
            if (state.words !== undefined) return;
            state.words = words;
            if (!socket.writable) socket.destroy();
            else if (!hasAnswersToCome(state)) socket.end(words);
        },
    };
}
