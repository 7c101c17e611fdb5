import { parseBytes } from "@property-search/contract";
import { NAME, token, type Allowed } from "@property-search/contract/settings";
import type * as pulumi from "@pulumi/pulumi";
import { CPUS, image, MEMORY, OBJECT_NAME, STORAGE, URLS_OF_REDIS } from "./allowed.ts";
import { GENERATED, type ConfigReader } from "./reader.ts";
import { readImage } from "./images.ts";
import { readOverlap } from "./overlap.ts";

const MODES = ["standalone", "cluster", "external"] as const;
const SMALLEST_MEMORY = "64Mi";

const IMAGE = image(["Redis", 7, 0]);
const PASSWORD = token(8, "a password");

export type RedisConfig = OwnRedisConfig | ExternalRedisConfig;

/** A Redis of somebody else's, such as a managed one. */
export interface ExternalRedisConfig {
    readonly mode: "external";
    /** With commas between them where there are several. */
    readonly url: string;
    /** Existing Secret in each colour's namespace, with the keys username and password. */
    readonly secretName: string;
    /** Whether it speaks the protocol of Redis Cluster. */
    readonly clustered: boolean;
    /** Undefined: there are no sentinels. */
    readonly sentinel: { readonly master: string; readonly dataPort: number } | undefined;
    /** Existing Secrets in each colour's namespace; undefined ones are not needed. */
    readonly tls: {
        readonly caSecretName: string | undefined;
        readonly certSecretName: string | undefined;
    };
}

/** Redis in the data namespace. */
export interface OwnRedisConfig {
    readonly mode: "standalone" | "cluster";
    readonly image: string;
    readonly nodeImage: string;
    readonly memoryLimit: string;
    readonly cpuRequest: string;
    readonly storage: string;
    /** Undefined: the cluster's default class. */
    readonly storageClass: string | undefined;
    /** Whether pods of a cluster wait rather than share a zone with more than one other. */
    readonly requireZones: boolean;
    readonly passwords: RedisPasswords;
    /** Accepted too, while one password replaces another. */
    readonly otherPasswords: Readonly<Record<RedisUser, readonly pulumi.Output<string>[]>>;
}

type RedisUser = "app" | "exporter" | "admin";

/** By ACL user. */
export type RedisPasswords = Readonly<Record<RedisUser, pulumi.Output<string>>>;

export function readRedis(read: ConfigReader): RedisConfig {
    const mode = read.oneOf("redis.mode", MODES);
    const external = readExternal(read, mode === "external");
    const own = {
        image: readImage(read, "redis.image", IMAGE),
        nodeImage: readImage(read, "redis.nodeImage"),
        memoryLimit: read.required("redis.memoryLimit", MEMORY),
        cpuRequest: read.required("redis.cpuRequest", CPUS),
        storage: read.required("redis.storage", STORAGE),
        storageClass: read.optional("redis.storageClass", OBJECT_NAME),
        requireZones: readRequireZones(read, mode),
    };
    if ((parseBytes(own.memoryLimit) ?? NaN) < (parseBytes(SMALLEST_MEMORY) ?? 0)) {
        read.addError(
            "redis.memoryLimit",
            `is "${own.memoryLimit}"; allowed: no less than ${SMALLEST_MEMORY}`,
        );
    }
    const [memory, storage] = [own.memoryLimit, own.storage].map((one) => parseBytes(one) ?? NaN);
    if ((storage ?? NaN) < (memory ?? NaN)) {
        // A snapshot is written beside the one before, and each may hold all of the data.
        read.addError(
            "redis.storage",
            `is "${own.storage}"; allowed: no less than redis.memoryLimit (${own.memoryLimit})`,
        );
    }
    // An external Redis needs none, but Pulumi demands a value of every secret that is declared.
    const passwords = readPasswords(read);
    return mode === "external" ? external : { mode, ...own, ...passwords };
}

function readRequireZones(read: ConfigReader, mode: RedisConfig["mode"]): boolean {
    const required = read.boolean("redis.requireZones");
    if (required && mode !== "cluster") {
        read.addError("redis.requireZones", `is true; allowed: false, since redis.mode is ${mode}`);
    }
    return required;
}

function readExternal(read: ConfigReader, wanted: boolean): ExternalRedisConfig {
    const reason = "redis.mode is external";
    const text = (key: string, allowed: Allowed) =>
        (wanted ? read.required(key, allowed, reason) : read.optional(key, allowed)) ?? "";
    const url = text("redis.url", URLS_OF_REDIS);
    const clustered = read.boolean("redis.clustered");
    const master = read.optional("redis.sentinelMaster", NAME);
    const dataPort = read.integer("redis.sentinelDataPort", 1, 65_535);
    if (clustered && master !== undefined) {
        read.addError("redis.sentinelMaster", "is set; allowed: nothing, since redis.clustered is");
    }
    if (wanted && url.includes(",") && !clustered && master === undefined) {
        read.addError(
            "redis.url",
            `is "${url}"; allowed: one URL, since neither redis.clustered nor redis.sentinelMaster is set`,
        );
    }
    return {
        mode: "external",
        url,
        secretName: text("redis.secretName", OBJECT_NAME),
        clustered,
        sentinel: master === undefined ? undefined : { master, dataPort },
        tls: readTls(read, wanted && !url.startsWith("rediss:")),
    };
}

function readTls(read: ConfigReader, plain: boolean): ExternalRedisConfig["tls"] {
    const secretName = (key: string) => {
        const name = read.optional(key, OBJECT_NAME);
        if (plain && name !== undefined) {
            read.addError(key, "is set; allowed: nothing, since redis.url is not rediss://");
        }
        return name;
    };
    return {
        caSecretName: secretName("redis.caSecretName"),
        certSecretName: secretName("redis.certSecretName"),
    };
}

function readPasswords(read: ConfigReader): Pick<OwnRedisConfig, "passwords" | "otherPasswords"> {
    const password = (user: RedisUser) =>
        read.requiredSecret(`redis.passwords.${user}`, PASSWORD, GENERATED);
    const others = (user: RedisUser) => readOverlap(read, `redis.passwords.${user}`, PASSWORD);
    return {
        passwords: {
            app: password("app"),
            exporter: password("exporter"),
            admin: password("admin"),
        },
        otherPasswords: {
            app: others("app"),
            exporter: others("exporter"),
            admin: others("admin"),
        },
    };
}
