import { parseBytes } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import { mirrored } from "./images.ts";
import type { ConfigReader } from "./reader.ts";

const REASON = "redis.mode is external";

/** Redis in the data namespace, or an external one, such as a managed service. */
export type RedisConfig = ReturnType<typeof readRedis>;

export function readRedis(read: ConfigReader) {
    const { mode, url, clustered, secretName, sentinelMaster, sentinelDataPort, ...others } =
        read.group("redis");
    const { caSecretName, certSecretName, ...own } = others;
    const { storage, memoryLimit, requireZones } = own;
    if ((parseBytes(storage) ?? NaN) < (parseBytes(memoryLimit) ?? NaN)) {
        // A new snapshot is written before the old one is deleted, and each may hold all of the data.
        const words = `is "${storage}"; allowed: no less than redis.memoryLimit (${memoryLimit})`;
        read.addError("redis.storage", words);
    }
    if (requireZones && mode !== "cluster") {
        read.addError("redis.requireZones", `is true; allowed: false, since redis.mode is ${mode}`);
    }
    if (clustered && sentinelMaster !== undefined) {
        read.addError("redis.sentinelMaster", "is set; allowed: nothing, since redis.clustered is");
    }
    // An external Redis needs none, but Pulumi demands a value of every secret that is declared.
    const passwords = readPasswords(read);
    if (mode !== "external") {
        const images = {
            image: mirrored(read, own.image),
            nodeImage: mirrored(read, own.nodeImage),
        };
        return { mode, ...own, ...images, ...passwords };
    }
    if (url?.includes(",") && !clustered && sentinelMaster === undefined) {
        read.addError(
            "redis.url",
            `is "${url}"; allowed: one URL, since neither redis.clustered nor redis.sentinelMaster is set`,
        );
    }
    for (const key of ["redis.caSecretName", "redis.certSecretName"] as const) {
        if (read.get(key) === undefined || url?.startsWith("rediss:")) continue;
        read.addError(key, "is set; allowed: nothing, since redis.url is not rediss://");
    }
    return {
        mode,
        url: url ?? read.required("redis.url", REASON),
        secretName: secretName ?? read.required("redis.secretName", REASON),
        clustered,
        sentinel:
            sentinelMaster === undefined
                ? undefined
                : { master: sentinelMaster, dataPort: sentinelDataPort },
        tls: { caSecretName, certSecretName },
    };
}

function readPasswords(read: ConfigReader) {
    const byUser = <T>(value: (key: `redis.passwords.${"app" | "exporter" | "admin"}`) => T) => ({
        app: value("redis.passwords.app"),
        exporter: value("redis.passwords.exporter"),
        admin: value("redis.passwords.admin"),
    });
    return {
        passwords: byUser((key): pulumi.Output<string> => read.get(key)),
        /** Accepted too, while one password replaces another. */
        otherPasswords: byUser((key) => read.overlap(key)),
    };
}
