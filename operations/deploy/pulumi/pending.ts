/** An object whose creation was interrupted by the end of an update. */
export interface PendingCreate {
    readonly urn: string;
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
}

/**
 * Reads pending creations from `pulumi stack export`. The next update would create the objects again and fail, because they
 * exist (https://www.pulumi.com/docs/iac/support/troubleshooting/common-issues/interrupted-updates/).
 */
export function pendingCreates(exported: string): readonly PendingCreate[] {
    const { deployment } = JSON.parse(exported) as Export;
    return (deployment?.pending_operations ?? []).flatMap(({ type, resource }) => {
        const { apiVersion, kind, metadata } = resource.inputs ?? {};
        if (type !== "creating" || !apiVersion || !kind || !metadata?.name) return [];
        const { name, namespace } = metadata;
        return [{ urn: resource.urn, apiVersion, kind, name, ...(namespace && { namespace }) }];
    });
}

/** The provider's id of an object. */
function providerId({ namespace, name }: PendingCreate): string {
    return namespace === undefined ? name : `${namespace}/${name}`;
}

/**
 * Arguments of the `pulumi refresh` that resolves pending creations: existing objects are imported into the state, the
 * others are dropped.
 */
export function refreshArgs(made: readonly PendingCreate[]): readonly string[] {
    const imports = made.flatMap((object) =>
        [object.urn, providerId(object)].flatMap((word) => ["--import-pending-creates", word]),
    );
    return ["refresh", "--yes", "--skip-preview", "--clear-pending-creates", ...imports];
}

interface Export {
    readonly deployment?: {
        readonly pending_operations?: readonly {
            readonly type: string;
            readonly resource: { readonly urn: string; readonly inputs?: Inputs };
        }[];
    };
}

interface Inputs {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly metadata?: { readonly name?: string; readonly namespace?: string };
}
