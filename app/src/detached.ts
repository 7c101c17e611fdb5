/**
 * Runs what nobody waits for. It has to handle its own errors: one that it lets out is a fault of the program,
 * which is written to stderr. Without this it would end the process, and every other request with it.
 */
export function detach(work: PromiseLike<unknown>): void {
    work.then(undefined, (error: unknown) => {
        process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    });
}
