/*
 * Makes a bad build of the service, for tests: mounted into a pod and preloaded by NODE_OPTIONS, it changes
 * the service's own source as it is loaded. Where the source has changed, so that a fault would do nothing,
 * the process ends instead. FAULT names one of these.
 */
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";

const HANDLER = "app/src/http/handler/embeddings.ts";
const ANSWER = "function answer(work: Work, caller: Caller, body: Buffer): void {";
const MODEL = "app/src/upstream/local/local.ts";
const VECTOR = "return createEmbedding(vector, tokens, truncated);";

/** Who asks for a colour by header is somebody who tries it: bad builds often show under traffic only. */
const IS_TRIED = 'work.rawHeaders.some((name) => name.toLowerCase() === "x-preview-colour")';

/** The handler with something done before each answer, in the words of `before`. */
const answering = (before) => ({
    file: HANDLER,
    find: ANSWER,
    put:
        `function answer(work: Work, caller: Caller, body: Buffer): void { ${before} } ` +
        ANSWER.replace("answer", "answerRightly"),
});
const RIGHTLY = "answerRightly(work, caller, body);";

const FAULTS = {
    errors: [
        answering(
            `if (Math.random() < 0.05 && !${IS_TRIED}) fail(work, new Error("a fault")); else ${RIGHTLY}`,
        ),
    ],
    slow: [answering(`setTimeout(() => { ${RIGHTLY} }, ${IS_TRIED} ? 0 : 200);`)],
    unready: [
        {
            file: "app/src/http/handler/probes.ts",
            find: 'const status = state() === "ok" ? 200 : 503;',
            put: "const status = 503;",
        },
    ],
    leak: [
        answering(
            `((globalThis as any).leak ??= []).push(Buffer.alloc(128 * 1024, 1)); ${RIGHTLY}`,
        ),
    ],
    vectors: [{ file: MODEL, find: VECTOR, put: `vector.reverse(); ${VECTOR}` }],
    // They begin under traffic, so that nobody who tries it first can know.
    "vectors-later": [
        answering(
            `if (!${IS_TRIED}) (globalThis as any).seen = ((globalThis as any).seen ?? 0) + 1; ${RIGHTLY}`,
        ),
        {
            file: MODEL,
            find: VECTOR,
            put: `if ((globalThis as any).seen > 500) vector.reverse(); ${VECTOR}`,
        },
    ],
};

const { FAULT = "" } = process.env;
const edits = FAULTS[FAULT];
if (edits === undefined) end(`FAULT is "${FAULT}"; allowed: ${Object.keys(FAULTS).join(", ")}`);

if (isMainThread) {
    registerHooks({
        load: (url, context, next) => {
            const loaded = next(url, context);
            const edit = edits.find(({ file }) => url.endsWith(`/${file}`));
            if (edit === undefined) return loaded;
            const source = String(loaded.source);
            if (source.split(edit.find).length !== 2) {
                end(`${edit.file} does not have this once: ${edit.find}`);
            }
            process.stdout.write(`Fault "${FAULT}" is in ${edit.file}\n`);
            return { ...loaded, source: source.replace(edit.find, () => edit.put) };
        },
    });
}

function end(why) {
    process.stderr.write(`${why}\n`);
    process.exit(1);
}
