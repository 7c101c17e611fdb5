import path from "node:path";

import { serviceOf, type Service } from "./service.ts";

const SERVER = path.resolve(import.meta.dirname, "uncountedServer.ts");

/** What counting costs is seen beside it. No flag of the service leads here. */
export const uncounted: Service = serviceOf(
    SERVER,
    "without metrics",
    "the service, which counts neither requests nor money",
    () => ({}),
);
