import { keyMaker } from "../../key/key.ts";
import { normaliser } from "../../key/normalise.ts";
import { HttpError } from "../protocol/error.ts";
import type { BodyAnswer, BodyTask } from "./largeBodies.ts";
import { parseEmbed, parseOpenai } from "../protocol/embeddingRequest.ts";

export function answer({
    format,
    body,
    bytes: length,
    limits,
    foldings,
    space,
}: BodyTask): BodyAnswer {
    const bytes = Buffer.concat(body, length);
    const normalise = normaliser(foldings);
    try {
        const request =
            format === "embed"
                ? parseEmbed(bytes, normalise, limits)
                : parseOpenai(
                      bytes,
                      { ...limits, ...KNOWN_BY_CALLER(limits.dimensions) },
                      normalise,
                  );
        const keyOf = keyMaker(space);
        const keys = request.inputs.map((input) => keyOf(input, request.dimensions));
        return { request, keys };
    } catch (error) {
        if (!(error instanceof HttpError)) return { failure: String(error) };
        const { status, message, type, param, code, retryAfterSeconds } = error;
        return { refusal: { status, message, type, param, code, retryAfterSeconds } };
    }
}

/** The caller checks the dimensions. */
const KNOWN_BY_CALLER = (native: number | undefined) => ({
    dimensions: () => native,
    dimensionsFault: () => undefined,
});
