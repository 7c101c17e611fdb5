import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { MODEL } from "./service.ts";
import { trueVector } from "./vectors.ts";

const EXAMPLES = join(import.meta.dirname, "../../../examples/clients");
/** Texts that each example embeds. */
export const LISTINGS = [
    "Two-bedroom flat near the park",
    "Garage with a charging point",
    "Office above a bakery",
];
const QUESTION = "Somewhere to live with some green around";

/**
 * Runs a program of examples/clients against a service, and returns what it prints.
 *
 * @param command such as `node`; none: the example is a program itself
 */
export async function runExample(
    { file, command }: { readonly file: string; readonly command?: string },
    service: { readonly url: string; readonly key: string; readonly timeoutMilliseconds: number },
): Promise<string> {
    const path = join(EXAMPLES, file);
    const [program, args] = command === undefined ? [path, []] : [command, [path]];
    const { stdout } = await promisify(execFile)(program, args, {
        timeout: service.timeoutMilliseconds,
        env: {
            PATH: process.env.PATH,
            HOME: process.env.HOME,
            EMBEDDING_URL: service.url,
            EMBEDDING_API_KEY: service.key,
            EMBEDDING_MODEL: MODEL,
        },
    });
    return stdout;
}

/** Output of the ranking examples for the true vectors. */
export function rankedListings(): string {
    const questionVector = trueVector(QUESTION);
    return LISTINGS.map((text) => {
        const score = trueVector(text).reduce(
            (sum, x, at) => sum + x * (questionVector[at] ?? 0),
            0,
        );
        return { text, score };
    })
        .sort((a, b) => b.score - a.score)
        .map(({ text, score }) => `${score.toFixed(3)} ${text}\n`)
        .join("");
}
