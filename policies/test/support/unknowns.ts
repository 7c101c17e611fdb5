import { jest } from "@jest/globals";
import type * as policy from "@pulumi/policy";

/** The SDK's own proxy for unknown values, without the rest of the SDK, which takes a second to load. */
export const { unknownCheckingProxy, UnknownValueError } =
    jest.requireActual<Pick<typeof policy, "unknownCheckingProxy" | "UnknownValueError">>(
        "@pulumi/policy/proxy.js",
    );
