import { expect, test } from "@jest/globals";
import { describeError, TenantsError, UserError } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import { LocalError } from "../../../local/src/shell.ts";
import { ConfigError } from "../../../policies/engine/config.ts";
import { ReleaseError } from "../../release/error.ts";
import { ApiError } from "../../cluster/objects.ts";
import { ClusterError } from "../../cluster/connect.ts";
import { RenderError } from "../../stack/render.ts";
import { VerifyError } from "../../gateway/client.ts";

test.each([ClusterError, ConfigError, LocalError, ReleaseError, RenderError, VerifyError])(
    "%p is a sentence for the user of a command, in any of them",
    (type) => {
        const error = new type("service.minReplicas is 0; allowed: 1 or more");
        expect(error).toBeInstanceOf(UserError);
        expect(describeError(error)).toBe("Error: service.minReplicas is 0; allowed: 1 or more");
    },
);

test("so are findings of a file of tenants, and a lost link", () => {
    expect(describeError(new TenantsError(["one"]))).toMatch(/^Error: .*\n {2}one$/);
    const refused = Object.assign(new Error("x"), { code: "ECONNREFUSED" });
    expect(describeError(refused)).toMatch(/^Error: no connection to the cluster/);
});

test.each<[string, unknown, string]>([
    [
        "a request that cannot be sent",
        new TypeError("fetch failed", { cause: new Error("bad port") }),
        "Error: no connection to the cluster: bad port; check KUBECONFIG and CONTEXT",
    ],
    [
        "a certificate that nobody trusts",
        Object.assign(new Error("self-signed certificate"), {
            code: "DEPTH_ZERO_SELF_SIGNED_CERT",
        }),
        "Error: no connection to the cluster: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT); check KUBECONFIG and CONTEXT",
    ],
    [
        "a file that is not there",
        Object.assign(new Error("x"), { code: "ENOENT", syscall: "open", path: "a.yaml" }),
        "Error: a.yaml does not exist (ENOENT)",
    ],
    [
        "a program that is not there",
        Object.assign(new Error("x"), { code: "ENOENT", syscall: "spawn helm", path: "helm" }),
        "Error: helm is not installed or not on PATH",
    ],
    [
        "an answer of the API server",
        new ApiError(403, '{"message":"secrets is forbidden"}'),
        "Error: the API server responded with 403: secrets is forbidden",
    ],
    ["a finding of the program", new pulumi.RunError("one"), "Error: one"],
])("so is %s", (_, error, words) => {
    expect(describeError(error)).toBe(words);
});

test("any other error keeps its stack", () => {
    const fault = new TypeError("x is not a function");
    expect(describeError(fault)).toBe(fault);
});
