import { OTHER_TENANTS } from "@property-search/contract";

/** What is counted for each tenant. */
export interface TenantLabels<T> {
    readonly of: (tenant: string) => T;
    readonly all: () => Iterable<readonly [tenant: string, T]>;
}

/** Each one is a dozen series in every pod. */
const MOST_TENANTS = 500;

/** The first tenants have series of their own; those that come later share one. */
export function tenantLabels<T>(make: (tenant: string) => T): TenantLabels<T> {
    const own = new Map<string, T>();
    const addOwn = (tenant: string): T => {
        const made = make(tenant);
        own.set(tenant, made);
        return made;
    };
    return {
        of: (tenant) => {
            const known = own.get(tenant);
            if (known !== undefined) return known;
            if (own.size < MOST_TENANTS) return addOwn(tenant);
            return own.get(OTHER_TENANTS) ?? addOwn(OTHER_TENANTS);
        },
        all: () => own,
    };
}
