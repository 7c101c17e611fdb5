import {
    ADDRESS,
    API_KEY,
    BOOLEAN,
    integer,
    NAME,
    setting,
} from "@property-search/contract/settings";
import { IMAGE } from "../allowed.ts";
import { isSet, SECRET, usedIf } from "./row.ts";

const WITH_CHAT = usedIf(["example.chatUrl", isSet]);

export const EXAMPLE = {
    "example.enabled": setting(BOOLEAN, false)`
        Whether the stack runs the example, a property search behind the Gateway at / and /api; docs/example.md describes
        it.`,
    "example.image": setting(IMAGE, "")`
        Image of the example. Required when example.enabled is true.`,
    "example.serviceUrl": setting(ADDRESS, "")`
        Base URL, without /v1, at which the example reaches the service. Not set: the Gateway's, by its host name, or by
        its Service in the cluster as edge.controller creates it. Required when edge.controller is custom and there is
        no edge.hostname.`,
    "example.chatUrl": setting(ADDRESS, "")`
        Base URL, with /v1, of an OpenAI-compatible chat API that words the example's answers. Not set: they are composed
        from the listings.`,
    "example.chatModel": setting(NAME, "gpt-4o-mini", WITH_CHAT)`Model of that API.`,
    "example.chatTimeoutSeconds": setting(integer(1, 120), 15, WITH_CHAT)`
        Time for an answer of that API. After it, the answer is composed from the listings.`,
    "example.chatApiKey": setting(API_KEY, "", { ...SECRET, ...WITH_CHAT })`
        API key of that API, set with --secret.`,
};
