import type { Api } from "../api.ts";
import type { Clock } from "../clock.ts";
import type { Ports } from "../machine/ports.ts";
import type { Store } from "../store/record.ts";

/** What every command works with. */
export interface Context {
    readonly api: Api;
    readonly store: Store;
    readonly clock: Clock;
    /** Opens what a driver needs beyond the API server; `direct`: past the one who owns the weights. */
    readonly openPorts: (direct: boolean) => Promise<Ports>;
    /** Gets one line for each thing that happened. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
    /** Who acts, and as which driver. */
    readonly actor: string;
    readonly holder: string;
    readonly isGone: (holder: string) => boolean;
}
