import { parseBytes } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import { BYTES, CPUS, GENERATED, pattern, type ConfigReader } from "./reader.ts";
import { IMAGE } from "./service.ts";

const MODES = ["standalone", "cluster", "external"] as const;
const SMALLEST_MEMORY = "64Mi";

const URL_WITHOUT_CREDENTIALS = pattern(
    /^rediss?:\/\/[^\s@/]+:\d+$/,
    "redis://host:port or rediss://host:port, without credentials",
);
const OBJECT_NAME = pattern(
    /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
    "the name of an object: lower-case letters, digits, dashes and dots",
);

export type RedisConfig = OwnRedisConfig | ExternalRedisConfig;

/** A Redis of somebody else's, such as a managed one. */
export interface ExternalRedisConfig {
    readonly mode: "external";
    readonly url: string;
    /** Existing Secret in each colour's namespace, with the keys username and password. */
    readonly secretName: string;
    /** Whether it speaks the protocol of Redis Cluster. */
    readonly clustered: boolean;
}

/** Redis in the data namespace. */
export interface OwnRedisConfig {
    readonly mode: "standalone" | "cluster";
    readonly image: string;
    readonly memoryLimit: string;
    readonly cpuRequest: string;
    readonly storage: string;
    /** Undefined: the cluster's default class. */
    readonly storageClass: string | undefined;
    readonly passwords: RedisPasswords;
}

/** By ACL user. */
export type RedisPasswords = Readonly<Record<"app" | "exporter" | "admin", pulumi.Output<string>>>;

export function readRedis(read: ConfigReader): RedisConfig {
    const mode = read.oneOf("redis.mode", MODES);
    const external = readExternal(read, mode === "external");
    const own = {
        image: read.required("redis.image", IMAGE),
        memoryLimit: read.required("redis.memoryLimit", BYTES),
        cpuRequest: read.required("redis.cpuRequest", CPUS),
        storage: read.required("redis.storage", BYTES),
        storageClass: read.optional("redis.storageClass", OBJECT_NAME),
    };
    if ((parseBytes(own.memoryLimit) ?? NaN) < (parseBytes(SMALLEST_MEMORY) ?? 0)) {
        read.finding(
            "redis.memoryLimit",
            `is "${own.memoryLimit}"; allowed: no less than ${SMALLEST_MEMORY}`,
        );
    }
    // An external Redis needs none, but Pulumi demands a value of every secret that is declared.
    const passwords = readPasswords(read);
    return mode === "external" ? external : { mode, ...own, passwords };
}

function readExternal(read: ConfigReader, wanted: boolean): ExternalRedisConfig {
    const reason = "redis.mode is external";
    const text = (key: string, allowed: typeof OBJECT_NAME) =>
        (wanted ? read.required(key, allowed, reason) : read.optional(key, allowed)) ?? "";
    return {
        mode: "external",
        url: text("redis.url", URL_WITHOUT_CREDENTIALS),
        secretName: text("redis.secretName", OBJECT_NAME),
        clustered: read.boolean("redis.clustered"),
    };
}

function readPasswords(read: ConfigReader): RedisPasswords {
    const password = (user: string) => read.requiredSecret(`redis.passwords.${user}`, GENERATED);
    return { app: password("app"), exporter: password("exporter"), admin: password("admin") };
}
