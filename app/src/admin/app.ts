import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";

/** Limit of JSON bodies. Uploads are streams with their own limits. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Uploads may take long, but are bounded. */
const REQUEST_TIMEOUT_MILLISECONDS = 900_000;

export type AdminApp = ReturnType<typeof createApp>;

/** Creates the admin application without its routes. */
export function createApp() {
    return fastify({
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
}
