import { PATHS } from "@property-search/contract";

import type { Authenticator } from "../../tenants/authenticator.ts";
import { withRequestCount } from "../protocol/countRequests.ts";
import { toHttpError, modelNotFoundError } from "../protocol/error.ts";
import type { Handler } from "../protocol/exchange.ts";
import { JSON_TYPE, type Responder } from "../protocol/responder.ts";
import type { Routes } from "../protocol/router.ts";

export interface ModelRoutesDependencies {
    readonly model: string;
    readonly provider: string;
    readonly authenticator: Authenticator;
    /** Serves `POST /v1/embeddings`. */
    readonly embeddings: Handler;
    /** The same, for a body without a model, which the path names. */
    readonly deployment: Handler;
    readonly responder: Responder;
    /** Called with the status of each response about models. */
    readonly onModelsRequestEnd: (code: number) => void;
}

/** OpenAI's model list and Azure's deployments, with a model's name in the path. */
const MODEL_PATHS = [
    new RegExp(`^${PATHS.models}/(?<model>.+)$`),
    new RegExp(`^${PATHS.azureDeployments}/(?<model>.+)/embeddings$`),
];

/** Routes with the model in the path: OpenAI's model list, and Azure's embeddings. */
export function createModelRoutes(dependencies: ModelRoutesDependencies): Required<Routes> {
    const { model, provider, authenticator, embeddings, deployment, responder } = dependencies;
    const { onModelsRequestEnd } = dependencies;
    const created = Math.floor(Date.now() / 1000);
    const card = { id: model, object: "model", created, owned_by: provider };
    // Names may contain slashes, which some clients do not encode.
    const names = new Set([model, encodeURIComponent(model), encodeURI(model)]);

    function serveJson(body: object): Handler {
        const text = JSON.stringify(body);
        return withRequestCount((request, response) => {
            request.resume();
            try {
                authenticator.admit(request.rawHeaders).release();
                responder.sendText(response, 200, JSON_TYPE, text);
            } catch (error) {
                responder.sendError(response, toHttpError(error));
            }
        }, onModelsRequestEnd);
    }

    return {
        get: {
            [PATHS.models]: serveJson({ object: "list", data: [card] }),
            ...mapNames(names, (name) => [`${PATHS.models}/${name}`, serveJson(card)]),
        },
        post: {
            [PATHS.azureEmbeddings]: embeddings,
            ...mapNames(names, (name) => [
                `${PATHS.azureDeployments}/${name}/embeddings`,
                deployment,
            ]),
        },
        findPathError: (path) => {
            const named = MODEL_PATHS.map((one) => one.exec(path)?.groups?.model).find(Boolean);
            return named === undefined ? undefined : modelNotFoundError(named, model);
        },
    };
}

function mapNames(
    names: ReadonlySet<string>,
    make: (name: string) => readonly [string, Handler],
): Record<string, Handler> {
    return Object.fromEntries(Array.from(names, make));
}
