import { expect, test } from "@jest/globals";
import { checkAfterDeploy } from "../../operations/deploy/afterDeploy.ts";
import { bothColoursReady, openCluster } from "../support/cluster.ts";

const cluster = openCluster();

test("the checks at the end of a deploy hold on the cluster of make up", async () => {
    await bothColoursReady(cluster);
    const checks = await checkAfterDeploy(cluster);
    expect(checks.filter(({ result }) => result === "failed")).toEqual([]);
    // Certificates are disabled on this cluster.
    expect(
        checks.filter(({ result }) => result === "not verified").map(({ what }) => what),
    ).toEqual(["the certificate is valid"]);
}, 180_000);
