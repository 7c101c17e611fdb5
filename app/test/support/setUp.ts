import { hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach } from "@jest/globals";

import { setUp } from "../../../tests/support/setUp.ts";
import type { Environment } from "../../src/settingsReader.ts";
import { startRedis, type RedisServer } from "./redisServer.ts";
import { startService, type Service, type StartOptions } from "./service.ts";
import { openStage, type Stage } from "./stage.ts";
import { startStubUpstream, type StubModel, type StubUpstream } from "./stubUpstream.ts";

/** A Redis for the tests of a file or a `describe`. */
export const setUpRedis = (settings: readonly string[] = []): RedisServer =>
    setUp(
        () => startRedis(undefined, settings),
        (redis) => redis.kill(),
    );

/** An upstream for the tests of a file or a `describe`. */
export const setUpUpstream = (model: StubModel = {}): StubUpstream =>
    setUp(
        () => startStubUpstream(model),
        (upstream) => upstream.stop(),
    );

/** A service for the tests of a file or a `describe`. */
export const setUpService = (environment: () => Environment, options?: StartOptions): Service =>
    setUp(
        () => startService(environment(), options),
        (service) => service.stop(),
    );

/** A file of tenants, each with one key, for the tests of a file. */
export const setUpTenants = (
    ...tenants: readonly { readonly id: string; readonly key: string; readonly limits?: object }[]
): { readonly folder: string; readonly file: string } =>
    setUp(
        async () => {
            const folder = await mkdtemp(join(tmpdir(), "tenants-"));
            const file = join(folder, "tenants.json");
            const hashed = tenants.map(({ key, ...rest }) => ({
                ...rest,
                keys: [{ sha256: hash("sha256", key, "hex") }],
            }));
            await writeFile(file, JSON.stringify({ tenants: hashed }));
            return { folder, file };
        },
        ({ folder }) => rm(folder, { recursive: true }),
    );

/** A stage for the tests of a file, which is cleared after each of them. */
export function setUpStage(): Stage {
    const stage = setUp(openStage, ({ close }) => close());
    afterEach(() => stage.clear());
    return stage;
}
