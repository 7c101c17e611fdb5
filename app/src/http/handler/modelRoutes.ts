import { PATHS } from "@property-search/contract";

import type { Gate } from "../../tenants/authenticator.ts";
import { asHttpError, modelNotFound } from "../protocol/error.ts";
import type { Handler } from "../protocol/exchange.ts";
import { JSON_TYPE, type Replies } from "../protocol/responder.ts";
import type { Routes } from "../protocol/router.ts";

export interface ModelPathsParts {
    readonly model: string;
    readonly provider: string;
    readonly gate: Gate;
    /** Serves `POST /v1/embeddings`. */
    readonly embeddings: Handler;
    /** The same, for a body without a model, which the path names. */
    readonly deployment: Handler;
    readonly replies: Replies;
}

/** OpenAI's model list and Azure's deployments, with a model's name in the path. */
const NAMED = [
    new RegExp(`^${PATHS.models}/(?<model>.+)$`),
    new RegExp(`^${PATHS.azureDeployments}/(?<model>.+)/embeddings$`),
];

/** Routes with the model in the path: OpenAI's model list, and Azure's embeddings. */
export function modelPaths(parts: ModelPathsParts): Required<Routes> {
    const { model, provider, gate, embeddings, deployment, replies } = parts;
    const created = Math.floor(Date.now() / 1000);
    const card = { id: model, object: "model", created, owned_by: provider };
    // Names may contain slashes, which some clients do not encode.
    const names = new Set([model, encodeURIComponent(model), encodeURI(model)]);

    function tell(body: object): Handler {
        const text = JSON.stringify(body);
        return (request, response) => {
            request.resume();
            try {
                gate.enter(request.rawHeaders).done();
                replies.text(response, 200, JSON_TYPE, text);
            } catch (error) {
                replies.error(response, asHttpError(error));
            }
        };
    }

    return {
        get: {
            [PATHS.models]: tell({ object: "list", data: [card] }),
            ...forEach(names, (name) => [`${PATHS.models}/${name}`, tell(card)]),
        },
        post: {
            [PATHS.azureEmbeddings]: embeddings,
            ...forEach(names, (name) => [
                `${PATHS.azureDeployments}/${name}/embeddings`,
                deployment,
            ]),
        },
        unknownPath: (path) => {
            const named = NAMED.map((one) => one.exec(path)?.groups?.model).find(Boolean);
            return named === undefined ? undefined : modelNotFound(named, model);
        },
    };
}

function forEach(
    names: ReadonlySet<string>,
    make: (name: string) => readonly [string, Handler],
): Record<string, Handler> {
    return Object.fromEntries(Array.from(names, make));
}
