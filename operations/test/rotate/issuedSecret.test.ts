import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { GENERATED_SECRETS } from "@property-search/contract";
import { stackConfig } from "../../../render/stackConfig.ts";
import { readRecord } from "../../deploy/apply/record.ts";
import { ISSUED_SECRETS, storeIssuedSecret } from "../../rotate/issuedSecret.ts";
import { startApiServer, type ApiServer } from "../support/apiServer.ts";

let api: ApiServer;
beforeEach(async () => {
    api = await startApiServer();
});
afterEach(() => api.close());

const NO_PULUMI = "the Pulumi CLI is not on PATH";
const store = (secret: string, value = "issued", missing: string | undefined = NO_PULUMI) =>
    storeIssuedSecret({ cluster: api.cluster, stack: "prod", secret, value, missing });

test("is stored before the first deploy with all generated secrets, and can be replaced", async () => {
    await store("service.upstreamApiKey", "first");
    const before = (await readRecord(api.cluster, "prod"))?.secrets ?? {};
    expect(Object.keys(before)).toEqual(
        expect.arrayContaining([...GENERATED_SECRETS, "service.upstreamApiKey"]),
    );
    await store("service.upstreamApiKey", "second");
    await store("certificates.acmeKey");
    expect((await readRecord(api.cluster, "prod"))?.secrets).toEqual({
        ...before,
        "service.upstreamApiKey": "second",
        "certificates.acmeKey": "issued",
    });
});

test("is rejected for another key, without a value, and if Pulumi stores the stack's secrets", async () => {
    await expect(store("service.upstreamApiKeys")).rejects.toThrow(
        'SECRET is "service.upstreamApiKeys"; allowed: service.upstreamApiKey, ',
    );
    await expect(store("prometheus.token", "")).rejects.toThrow("prometheus.token has no value");
    const withPulumi = storeIssuedSecret({
        ...{ cluster: api.cluster, stack: "prod", secret: "prometheus.token", value: "a" },
        missing: undefined,
    });
    await expect(withPulumi).rejects.toThrow("pulumi config set --secret prometheus.token");
    expect(await readRecord(api.cluster, "prod")).toBeUndefined();
});

test("each is a secret of a deploy without Pulumi", () => {
    const { project, secretKeys } = stackConfig("prod", {});
    const generated: readonly string[] = GENERATED_SECRETS;
    const issued = secretKeys
        .map((key) => key.replace(`${project}:`, ""))
        .filter((key) => !generated.includes(key) && !/\.(next|previous)/.test(key));
    expect([...issued].sort()).toEqual([...ISSUED_SECRETS].sort());
});
