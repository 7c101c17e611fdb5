import { beforeEach, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { connect } from "../../cluster/connect.ts";

let home: string;

beforeEach(() => {
    home = makeTemporaryFolder();
    process.env.HOME = home;
    delete process.env.KUBECONFIG;
});

test("without a kubeconfig no cluster is assumed", () => {
    expect(() => connect()).toThrow(/^there is no kubeconfig: set KUBECONFIG/);
});

test("a missing context is reported with the existing ones", async () => {
    const file = path.join(home, "config");
    const config = {
        contexts: [{ name: "prod", context: { cluster: "prod", user: "me" } }],
        clusters: [{ name: "prod", cluster: { server: "https://prod.example" } }],
        users: [{ name: "me", user: {} }],
    };
    await writeFile(file, JSON.stringify(config));
    expect(() => connect(file, "staging")).toThrow(
        'CONTEXT is "staging", which the kubeconfig does not have; it has: prod',
    );
    expect(() => connect(file)).toThrow(/has no current cluster; set CONTEXT/);
    expect(connect(file, "prod").server).toBe("https://prod.example");
});
