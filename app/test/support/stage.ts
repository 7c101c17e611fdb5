import { expect } from "@jest/globals";
import { PATHS } from "@property-search/contract";
import type { Logger } from "pino";

import type { Environment } from "../../src/config.ts";
import { eventually } from "./eventually.ts";
import { startService, stubEnvironment, type Service } from "./service.ts";
import { startStubUpstream, type StubUpstream } from "./stubUpstream.ts";
import { traffic, type Traffic } from "./traffic.ts";

/** Far more than the operation timeouts of one request together, for a machine that is busy. */
const LONGEST_MILLISECONDS = 1_500;
/** Where a pod loses Redis with leases in its hands, another one may wait for these until they end. */
export const LONGEST_WITH_A_LEASE = 5_000 + LONGEST_MILLISECONDS;

/** What tests of faults have in common: an upstream, pods, clients, and an end of all that was started. */
export interface Stage {
    readonly ends: (stop: () => Promise<unknown>) => void;
    /** A pod that keeps next to nothing itself, so that its hits are those of Redis. */
    readonly pod: (environment: Environment, log?: Logger) => Promise<Service>;
    readonly clients: (...pods: readonly Service[]) => Traffic;
    /** Ends what was started since the last time, the newest first. */
    readonly clear: () => Promise<void>;
    readonly close: () => Promise<void>;
}

export async function openStage(): Promise<Stage> {
    const upstream: StubUpstream = await startStubUpstream();
    let stops: (() => Promise<unknown>)[] = [];
    const ends = (stop: () => Promise<unknown>): void => void stops.push(stop);
    return {
        ends,
        pod: async (environment, log) => {
            const ours = { ...stubEnvironment(upstream.url), MAX_LOCAL_CACHE_SIZE: "1" };
            const service = await startService({ ...ours, ...environment }, log ? { log } : {});
            ends(service.stop);
            return service;
        },
        clients: (...pods) => {
            const clients = traffic(...pods);
            ends(clients.stop);
            return clients;
        },
        clear: async () => {
            for (const stop of stops.toReversed()) await stop();
            stops = [];
        },
        close: () => upstream.stop(),
    };
}

/** Every answer was right and in time, those during the fault included. */
export async function unharmed(clients: Traffic, limit = LONGEST_MILLISECONDS): Promise<void> {
    const { wrong, slowestMilliseconds } = await clients.stop();
    expect(wrong).toEqual([]);
    expect(slowestMilliseconds).toBeLessThan(limit);
}

export async function stateOf(pod: Service): Promise<string> {
    return ((await pod.get(PATHS.health)).json as { redis: string }).redis;
}

export function allAre(pods: readonly Service[], state: "up" | "down"): Promise<void> {
    return eventually(`Redis is ${state} everywhere`, async () =>
        (await Promise.all(pods.map(stateOf))).every((one) => one === state),
    );
}
