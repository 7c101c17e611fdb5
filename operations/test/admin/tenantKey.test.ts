import { expect, test } from "@jest/globals";
import { parseTenants } from "@property-search/contract";
import { createHash } from "node:crypto";
import { newTenantKey } from "../../admin/tenantKey.ts";

test("A new key is listed by its hash only, in the form that the service reads", () => {
    const { key, listed } = newTenantKey("search");
    const text = JSON.stringify({ tenants: [listed] });
    const [tenant] = parseTenants(text);
    expect(tenant?.keys[0]?.sha256).toBe(createHash("sha256").update(key).digest("hex"));
    expect(text).not.toContain(key);
    expect(newTenantKey("search").key).not.toBe(key);
});

test("An id that no tenant can have is refused", () => {
    expect(() => newTenantKey("")).toThrow("TENANT is not set; allowed: lower-case letters");
    expect(() => newTenantKey("Search Team")).toThrow(
        'TENANT is "Search Team"; allowed: lower-case letters',
    );
});
