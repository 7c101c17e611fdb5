import { expect, test } from "@jest/globals";
import { anonymousOverride } from "../../src/plans/anonymous.ts";
import { planForContext } from "../../src/plans/context.ts";

test("make up ANONYMOUS=… sets that key, and nothing where it is not set", () => {
    expect(anonymousOverride("false")).toEqual({ "tenants.anonymous": "false" });
    expect(anonymousOverride("true")).toEqual({ "tenants.anonymous": "true" });
    expect(anonymousOverride("")).toEqual({});
    expect(anonymousOverride(undefined)).toEqual({});
});

test("any other value is refused by its name", () => {
    expect(() => anonymousOverride("no")).toThrow(/ANONYMOUS is "no"; allowed: true, false/);
});

test("on a cluster of somebody else's it is refused, since the stack's file decides there", async () => {
    process.env.ANONYMOUS = "false";
    try {
        const planned = planForContext("theirs", "dev", new AbortController().signal);
        await expect(planned).rejects.toThrow(/ANONYMOUS is "false".*tenants\.anonymous/);
    } finally {
        delete process.env.ANONYMOUS;
    }
});
