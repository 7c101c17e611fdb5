/**
 * Runs work whose result is not awaited. The work must handle its own errors; an unhandled one is a bug,
 * which is written to stderr instead of ending the process and all its requests.
 */
export function detach(work: PromiseLike<unknown>): void {
    work.then(undefined, (error: unknown) => {
        process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    });
}
