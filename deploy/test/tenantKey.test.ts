import { expect, test } from "@jest/globals";
import { readTenants, TenantsError } from "@property-search/contract";
import { createHash } from "node:crypto";
import { newTenantKey } from "../src/tenantKey.ts";

test("A new key is listed by its hash only, in the form that the service reads", () => {
    const { key, listed } = newTenantKey("search");
    const text = JSON.stringify({ tenants: [listed] });
    const [tenant] = readTenants(text);
    expect(tenant?.keys[0]?.sha256).toBe(createHash("sha256").update(key).digest("hex"));
    expect(text).not.toContain(key);
    expect(newTenantKey("search").key).not.toBe(key);
});

test("An id that no tenant can have is refused", () => {
    expect(() => newTenantKey("Search Team")).toThrow(TenantsError);
});
