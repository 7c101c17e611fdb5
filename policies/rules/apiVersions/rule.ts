import { Type } from "typebox";
import { anyRule } from "../../engine/rule.ts";
import { removed } from "./removed.ts";

export const apiVersions = anyRule({
    name: "api-versions",
    title: "Every object is of a version of the API that the cluster serves.",
    why: "A version that Kubernetes has removed is refused with the cluster's next upgrade, whatever ran until then.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    settings: {
        minor: Type.Integer({
            default: 34,
            minimum: 16,
            description: "minor of Kubernetes 1 that objects have to be for",
        }),
    },
    *check({ apiVersion, kind }, _, { minor }) {
        const gone = removed(apiVersion, kind);
        if (!gone || gone.minor > minor) return;
        const what = `is of ${apiVersion}, which Kubernetes 1.${gone.minor} has removed`;
        yield { what, at: "apiVersion", fix: { apiVersion: gone.instead } };
    },
    unsaid: "since the API server asks about no object of a version that it does not serve",
});
