import type { Api } from "../api.ts";
import type { Clock } from "../clock.ts";
import type { Ports } from "../machine/ports.ts";
import type { Store } from "../store/record.ts";

/** Dependencies of every command. */
export interface Context {
    readonly api: Api;
    readonly store: Store;
    readonly clock: Clock;
    /** Creates the driver's ports beyond the API server; `force` bypasses the owner of the weights. */
    readonly createPorts: (force: boolean) => Promise<Ports>;
    /** Receives one line per event. */
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
    /** User that runs the command, and the lease identity of its driver. */
    readonly actor: string;
    readonly holder: string;
    readonly hasExited: (holder: string) => boolean;
}
