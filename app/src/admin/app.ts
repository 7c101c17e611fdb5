import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";

import { duplicateKeyError } from "../http/protocol/jsonBody.ts";

/** Limit of JSON bodies: names and reasons. Uploads are streams with their own limits. */
const MAX_BODY_BYTES = 16 * 1024;
/** Limit of JSON bodies with a text, its token IDs, or concept rules. */
export const MAX_TEXT_BODY_BYTES = 1024 * 1024;
/** Uploads may take long, but are bounded. */
const REQUEST_TIMEOUT_MILLISECONDS = 900_000;

export type AdminApp = ReturnType<typeof createApp>;

/** Creates the admin application without its routes. */
export function createApp() {
    const app = fastify({
        bodyLimit: MAX_BODY_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
        ajv: {
            customOptions: {
                allErrors: true,
                // Errors then contain the value and the schema that it violates.
                verbose: true,
                // Unknown fields are errors; silently dropping them would ignore the operator's intent.
                removeAdditional: false,
            },
        },
    }).withTypeProvider<TypeBoxTypeProvider>();
    const parseJson = app.getDefaultJsonParser("error", "error");
    app.addContentTypeParser<string>(
        "application/json",
        { parseAs: "string" },
        (request, body, onParsed) =>
            parseJson(request, body, (error, value) => {
                onParsed(error ?? duplicateKeyError(body), value);
            }),
    );
    return app;
}
