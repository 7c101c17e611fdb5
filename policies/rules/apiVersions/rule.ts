import { Type } from "typebox";
import { stackRule } from "../../engine/rule.ts";
import { findRemoval } from "./removed.ts";

export const apiVersions = stackRule({
    name: "api-versions",
    title: "Every object uses an API version that the cluster serves.",
    why: "A cluster upgrade rejects objects whose API version Kubernetes has removed, even if they ran before.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    settings: {
        minor: Type.Integer({
            default: 34,
            minimum: 16,
            description: "minor version of Kubernetes 1 that objects have to be compatible with",
        }),
    },
    *check({ apiVersion, kind }, _, { minor }) {
        const removal = findRemoval(apiVersion, kind);
        if (!removal || removal.minor > minor) return;
        const message = `uses ${apiVersion}, which Kubernetes 1.${removal.minor} removed`;
        yield { message, path: "apiVersion", fix: { apiVersion: removal.replacement } };
    },
    admissionGap: "the API server rejects versions that it does not serve before admission",
});
