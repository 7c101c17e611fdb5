import type { KeySpace } from "../../src/key/key.ts";

/** For a tenant without a key, and a fictitious model. */
export const KEY_SPACE: KeySpace = {
    tenant: "anonymous",
    epoch: "0.0",
    provider: "local",
    model: "m",
    revision: "1",
    inputType: "none",
};
