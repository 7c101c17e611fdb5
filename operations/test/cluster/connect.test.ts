import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect } from "../../cluster/connect.ts";

const { HOME, KUBECONFIG } = process.env;
let home: string;

beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "home-"));
    process.env.HOME = home;
    delete process.env.KUBECONFIG;
});

afterEach(async () => {
    process.env.HOME = HOME;
    if (KUBECONFIG !== undefined) process.env.KUBECONFIG = KUBECONFIG;
    await rm(home, { recursive: true });
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
