import { expect, test } from "@jest/globals";
import { anonymousOverride } from "../../src/plans/anonymous.ts";
import { planForContext } from "../../src/plans/context.ts";

test("make up ANONYMOUS=… sets that key, and nothing where it is not set", () => {
    expect(anonymousOverride("false")).toEqual({ "tenants.anonymous": "false" });
    expect(anonymousOverride("true")).toEqual({ "tenants.anonymous": "true" });
    expect(anonymousOverride("")).toEqual({});
    expect(anonymousOverride(undefined)).toEqual({});
});

test("any other value is rejected by its name", () => {
    expect(() => anonymousOverride("no")).toThrow(/ANONYMOUS is "no"; allowed: true, false/);
});

test("on an existing cluster it is rejected, since the stack's file applies there", async () => {
    process.env.ANONYMOUS = "false";
    try {
        const planned = planForContext("theirs", "dev", new AbortController().signal);
        await expect(planned).rejects.toThrow(/ANONYMOUS is "false".*tenants\.anonymous/);
    } finally {
        delete process.env.ANONYMOUS;
    }
});
