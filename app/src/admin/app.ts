import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";

/** Of JSON; uploads are streams with limits of their own. */
const MAX_BODY_BYTES = 1024 * 1024;
/** An upload may take long, but not for ever. */
const REQUEST_TIMEOUT_MILLISECONDS = 900_000;

export type AdminApp = ReturnType<typeof newApp>;

/** The operators' port before its paths are added. */
export function newApp() {
    return fastify({
        bodyLimit: MAX_BODY_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
        ajv: {
            customOptions: {
                allErrors: true,
                // Then an error carries the value, and the schema that it does not meet.
                verbose: true,
                // A field that is dropped in silence is a wish that is not met.
                removeAdditional: false,
            },
        },
    }).withTypeProvider<TypeBoxTypeProvider>();
}
