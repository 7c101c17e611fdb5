import { expect } from "@jest/globals";
import { PATHS } from "@property-search/contract";
import type { Logger } from "pino";

import type { Environment } from "../../src/settingsReader.ts";
import { eventually } from "./eventually.ts";
import { startService, stubEnvironment, type Service } from "./service.ts";
import { startStubUpstream, type StubUpstream } from "./stubUpstream.ts";
import { traffic, type Traffic } from "./traffic.ts";

/** A request's own deadline is 25 s: a longer wait was caused by the fault. */
const LONGEST_MILLISECONDS = 22_000;

/** Common setup of fault tests: an upstream, pods, clients, and cleanup. */
export interface Stage {
    readonly ends: (stop: () => Promise<unknown>) => void;
    /** A pod with a minimal local cache, so that its hits are those of Redis. */
    readonly pod: (environment: Environment, log?: Logger) => Promise<Service>;
    readonly clients: (...pods: readonly Service[]) => Traffic;
    /** Ends everything started since the last call, newest first. */
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

/** Every response was correct, including those during the fault, and none took its whole time. */
export async function unharmed(clients: Traffic): Promise<void> {
    const { wrong, slowestMilliseconds } = await clients.stop();
    expect(wrong).toEqual([]);
    expect(slowestMilliseconds).toBeLessThan(LONGEST_MILLISECONDS);
}

export async function stateOf(pod: Service): Promise<string> {
    return ((await pod.get(PATHS.health)).json as { redis: string }).redis;
}

export function allAre(pods: readonly Service[], state: "up" | "down"): Promise<void> {
    return eventually(`Redis is ${state} everywhere`, async () =>
        (await Promise.all(pods.map(stateOf))).every((one) => one === state),
    );
}
