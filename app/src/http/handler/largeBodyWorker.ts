import { createKeyOf } from "../../key/key.ts";
import { createNormaliser } from "../../key/normalise.ts";
import { HttpError } from "../protocol/error.ts";
import type { BodyResult, BodyTask } from "./largeBodies.ts";
import { parseEmbed, parseOpenai } from "../protocol/embeddingRequest.ts";

export function run({
    format,
    body,
    bytes: length,
    limits,
    foldings,
    space,
}: BodyTask): BodyResult {
    const bytes = Buffer.concat(body, length);
    const normalise = createNormaliser(foldings);
    try {
        const request =
            format === "embed"
                ? parseEmbed(bytes, normalise, limits)
                : parseOpenai(
                      bytes,
                      { ...limits, ...withoutDimensionsCheck(limits.dimensions) },
                      normalise,
                  );
        const keyOf = createKeyOf(space);
        const keys = request.inputs.map((input) => keyOf(input, request.dimensions));
        return { request, keys };
    } catch (error) {
        if (!(error instanceof HttpError)) return { failure: String(error) };
        const { status, message, type, param, code, retryAfterSeconds } = error;
        return { rejection: { status, message, type, param, code, retryAfterSeconds } };
    }
}

/** The caller checks the dimensions. */
const withoutDimensionsCheck = (native: number | undefined) => ({
    dimensions: () => native,
    dimensionsError: () => undefined,
});
