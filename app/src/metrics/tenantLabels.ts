import { OTHER_TENANTS } from "@property-search/contract";

/** Values per tenant. */
export interface TenantLabels<T> {
    readonly get: (tenant: string) => T;
    readonly all: () => Iterable<readonly [tenant: string, T]>;
}

/** Each tenant has a dozen series in every pod. */
const MAX_TENANTS = 500;

/** The first tenants have their own series; later tenants share one. */
export function createTenantLabels<T>(make: (tenant: string) => T): TenantLabels<T> {
    const own = new Map<string, T>();
    /** The same tenant often sends the next request. */
    let last: { readonly tenant: string; readonly labels: T } | undefined;
    const addOwn = (tenant: string): T => {
        const labels = make(tenant);
        own.set(tenant, labels);
        return labels;
    };
    const other = (): T => own.get(OTHER_TENANTS) ?? addOwn(OTHER_TENANTS);
    return {
        get: (tenant) => {
            if (last?.tenant === tenant) return last.labels;
            const labels = own.get(tenant) ?? (own.size < MAX_TENANTS ? addOwn(tenant) : other());
            last = { tenant, labels };
            return labels;
        },
        all: () => own,
    };
}
