import { jest } from "@jest/globals";

/** The part of @pulumi/policy whose types the package does not publish. */
interface Unknowns {
    readonly unknownCheckingProxy: <T>(value: T) => T;
    readonly UnknownValueError: new (...args: never[]) => Error;
}

/** The SDK's own proxy for unknown values, without the rest of the SDK, which takes a second to load. */
export const { unknownCheckingProxy, UnknownValueError } =
    jest.requireActual<Unknowns>("@pulumi/policy/proxy.js");
