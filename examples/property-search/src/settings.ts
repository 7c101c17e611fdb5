import { PORTS, UserError } from "@property-search/contract";
import {
    ADDRESS,
    API_KEY,
    integer,
    NAME,
    PORT,
    readSettings,
    setting,
    type ValuesOf,
} from "@property-search/contract/settings";

/** Settings of the process, by their environment variables. */
export const EXAMPLE_SETTINGS = {
    port: setting(PORT, PORTS.example, { env: "PORT" })`Port of the page and its API.`,
    embeddingUrl: setting(ADDRESS, `http://127.0.0.1:${PORTS.service}/v1`, {
        env: "EMBEDDING_URL",
        isUrl: true,
    })`
        Base URL of the embeddings API, with /v1.`,
    embeddingApiKey: setting(API_KEY, "", { env: "EMBEDDING_API_KEY", secret: true })`
        API key of the embeddings API. Not set: the service allows clients without a key.`,
    embeddingModel: setting(NAME, "all-MiniLM-L6-v2", { env: "EMBEDDING_MODEL" })`
        Model of the vectors.`,
    embeddingTimeoutSeconds: setting(integer(1, 60), 10, { env: "EMBEDDING_TIMEOUT_SECONDS" })`
        Time for the vector of a question, with all retries.`,
    chatUrl: setting(ADDRESS, "", { env: "CHAT_URL", isUrl: true })`
        Base URL of an OpenAI-compatible chat API, with /v1. Not set: answers are composed from the listings.`,
    chatApiKey: setting(API_KEY, "", { env: "CHAT_API_KEY", secret: true })`
        API key of the chat API.`,
    chatModel: setting(NAME, "gpt-4o-mini", { env: "CHAT_MODEL" })`Model of the chat API.`,
    chatTimeoutSeconds: setting(integer(1, 120), 15, { env: "CHAT_TIMEOUT_SECONDS" })`
        Time for an answer of the chat API.`,
    maxSessions: setting(integer(1, 100_000), 5_000, { env: "MAX_SESSIONS" })`
        Sessions that are remembered. The one that was used least recently is forgotten first.`,
    sessionMinutes: setting(integer(1, 1_440), 30, { env: "SESSION_MINUTES" })`
        Time after its last message when a session is forgotten.`,
    maxRequests: setting(integer(1, 65_536), 2_048, { env: "MAX_REQUESTS" })`
        Requests with a body that are in progress at a time. More are answered with 503.`,
    drainTimeoutSeconds: setting(integer(1, 300), 20, { env: "DRAIN_TIMEOUT_SECONDS" })`
        Time for open requests after SIGTERM.`,
} as const;

export type ExampleSettings = ValuesOf<typeof EXAMPLE_SETTINGS>;

/** @throws UserError with all wrong variables */
export function readEnvironment(
    environment: Readonly<Record<string, string | undefined>>,
): ExampleSettings {
    const problems: string[] = [];
    const settings = readSettings(
        EXAMPLE_SETTINGS,
        ({ env }) => environment[env],
        ({ env }, words) => problems.push(`  ${env} ${words}`),
    );
    if (problems.length > 0) {
        throw new UserError(`The environment is invalid:\n${problems.join("\n")}`);
    }
    return settings;
}
