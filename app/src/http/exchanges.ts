import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of connections that node:http has, and what a connection is told when they are answered. */
export interface Exchanges {
    readonly begin: (request: IncomingMessage, response: ServerResponse) => void;
    /** Whether a request is answered of which the body is still coming. */
    readonly isAnswered: (socket: Socket) => boolean;
    /** Ends a connection with these words, behind the answers to requests that came before. */
    readonly afterAnswers: (socket: Socket, words: string) => void;
}

interface State {
    open: number;
    isPaused: boolean;
    last: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;
    words: string | undefined;
}

/** A connection with so many requests that are not answered is not read any further. */
const MOST_OPEN = 32;

export function openExchanges(): Exchanges {
    const states = new WeakMap<Socket, State>();

    function stateOf(socket: Socket): State {
        const none: State = { open: 0, isPaused: false, last: undefined, words: undefined };
        const state = states.get(socket) ?? none;
        states.set(socket, state);
        return state;
    }

    /** A request that will never be whole has no answer to wait for. */
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
            // What follows bytes that are no HTTP is none either.
            if (state.words !== undefined) return;
            state.words = words;
            if (!socket.writable) socket.destroy();
            else if (!hasAnswersToCome(state)) socket.end(words);
        },
    };
}
