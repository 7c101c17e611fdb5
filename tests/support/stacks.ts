import { renderStack, type Rendering, type RenderOptions } from "../../render.ts";

const renderings = new Map<string, Promise<Rendering>>();

/** Renders a stack; the same options once in a test file. */
export function render(options: RenderOptions): Promise<Rendering> {
    const key = JSON.stringify(options);
    const known = renderings.get(key) ?? quietly(() => renderStack(options));
    renderings.set(key, known);
    return known;
}

/** Runs the program without what it warns of, and without a stack trace for each resource. */
export async function quietly<T>(run: () => Promise<T>): Promise<T> {
    const { stackTraceLimit } = Error;
    const { warn } = console;
    // Traces are a fifth of a rendering's time under Jest's source maps.
    Error.stackTraceLimit = 0;
    console.warn = () => undefined;
    try {
        return await run();
    } finally {
        Error.stackTraceLimit = stackTraceLimit;
        console.warn = warn;
    }
}
