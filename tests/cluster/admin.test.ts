import { expect, test } from "@jest/globals";
import { COLOURS } from "@property-search/contract";
import { clusterAdminTarget } from "../../operations/admin/target.ts";
import { openCluster } from "../support/cluster.ts";

test.each(COLOURS)("The admin port of %s is reached by its kubeconfig alone", async (colour) => {
    const { url, token, close } = await clusterAdminTarget(openCluster(), { colour });
    const ask = (key: string) =>
        fetch(`${url}/admin/v1/state`, { headers: { authorization: `Bearer ${key}` } });
    try {
        // At once, and one after the other: each connection is a forward of its own.
        const answers = await Promise.all(Array.from({ length: 8 }, () => ask(token)));
        expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
        expect((await ask("not-the-token")).status).toBe(401);
    } finally {
        await close();
    }
});
