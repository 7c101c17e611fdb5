import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { chooseKubeconfig } from "./testedCluster.ts";

const folder = mkdtempSync(path.join(tmpdir(), "tested-cluster-"));
const ofMakeUp = path.join(folder, "make-up");
const production = path.join(folder, "production");
const context = (name: string) => ({ name, context: { cluster: name, user: name } });
writeFileSync(ofMakeUp, "");
writeFileSync(
    production,
    JSON.stringify({
        clusters: ["prod", "test"].map((name) => ({
            name,
            cluster: { server: `https://${name}` },
        })),
        users: ["prod", "test"].map((name) => ({ name, user: { token: name } })),
        contexts: ["prod", "test"].map(context),
        "current-context": "prod",
    }),
);

test("the cluster of make up is tested where nothing is named", () => {
    const choice = { kubeconfig: undefined, context: undefined };
    expect(chooseKubeconfig(choice, ["/not/there", ofMakeUp])).toBe(ofMakeUp);
    expect(() => chooseKubeconfig(choice, ["/not/there"])).toThrow("run make up first");
});

test("a kubeconfig of the environment is rejected, except for that of make up", () => {
    const refused = { kubeconfig: production, context: undefined };
    expect(() => chooseKubeconfig(refused, [ofMakeUp])).toThrow(
        /KUBECONFIG is ".*production"; allowed: .*CONTEXT=name/,
    );
    expect(chooseKubeconfig({ ...refused, kubeconfig: ofMakeUp }, [ofMakeUp])).toBe(ofMakeUp);
});

test("a named context is the only one that the tests see as current", () => {
    const chosen = chooseKubeconfig({ kubeconfig: production, context: "test" }, [ofMakeUp]);
    expect(JSON.parse(readFileSync(chosen, "utf8"))).toMatchObject({ "current-context": "test" });
});

test("a missing context is reported with the available ones", () => {
    const choice = { kubeconfig: production, context: "tset" };
    expect(() => chooseKubeconfig(choice, [ofMakeUp])).toThrow(
        /CONTEXT is "tset"; allowed: prod, test/,
    );
});
