import { expect, test } from "@jest/globals";
import { parseTenants } from "@property-search/contract";
import { createHash } from "node:crypto";
import { createTenantKey } from "../../admin/tenantKey.ts";

test("The config entry of a new key has only its hash, in the format that the service reads", () => {
    const { key, configEntry } = createTenantKey("search");
    const text = JSON.stringify({ tenants: [configEntry] });
    const [tenant] = parseTenants(text);
    expect(tenant?.keys[0]?.sha256).toBe(createHash("sha256").update(key).digest("hex"));
    expect(text).not.toContain(key);
    expect(createTenantKey("search").key).not.toBe(key);
});

test("An invalid tenant id is rejected", () => {
    expect(() => createTenantKey("")).toThrow("TENANT is not set; allowed: lower-case letters");
    expect(() => createTenantKey("Search Team")).toThrow(
        'TENANT is "Search Team"; allowed: lower-case letters',
    );
});
