/*
 * Makes a bad build of the service, for tests: mounted into a pod and preloaded by NODE_OPTIONS, it changes
 * the service's own source as it is loaded. Where the source has changed, so that a fault would do nothing,
 * the process ends instead. FAULT names one of these.
 */
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";

const HANDLER = "app/src/http/handler/embeddings.ts";
const HANDLE_BODY =
    "function handleBody(pending: PendingRequest, admission: Admission, body: Buffer): void {";
const MODEL = "app/src/upstream/local/local.ts";
const VECTOR = "return createEmbedding(vector, tokens, truncated);";

/** Who asks for a colour by header is somebody who tries it: bad builds often show under traffic only. */
const IS_TRIED = 'pending.rawHeaders.some((name) => name.toLowerCase() === "x-preview-colour")';

/** Replaces the handler of a body; `code` may call the original one (UNCHANGED). */
const replaceHandler = (code) => ({
    file: HANDLER,
    find: HANDLE_BODY,
    put: `${HANDLE_BODY} ${code} } ${HANDLE_BODY.replace("handleBody", "handleUnchanged")}`,
});
const UNCHANGED = "handleUnchanged(pending, admission, body);";

const FAULTS = {
    errors: [
        replaceHandler(
            `if (Math.random() < 0.05 && !${IS_TRIED}) fail(pending, new Error("a fault")); else ${UNCHANGED}`,
        ),
    ],
    slow: [replaceHandler(`setTimeout(() => { ${UNCHANGED} }, ${IS_TRIED} ? 0 : 200);`)],
    unready: [
        {
            file: "app/src/http/handler/probes.ts",
            find: 'const status = state() === "ok" ? 200 : 503;',
            put: "const status = 503;",
        },
    ],
    leak: [
        replaceHandler(
            `((globalThis as any).leak ??= []).push(Buffer.alloc(128 * 1024, 1)); ${UNCHANGED}`,
        ),
    ],
    vectors: [{ file: MODEL, find: VECTOR, put: `vector.reverse(); ${VECTOR}` }],
    // They begin under traffic, so that nobody who tries it first can know.
    "vectors-later": [
        replaceHandler(
            `if (!${IS_TRIED}) (globalThis as any).seen = ((globalThis as any).seen ?? 0) + 1; ${UNCHANGED}`,
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
