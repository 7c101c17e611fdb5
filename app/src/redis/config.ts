import { partsOfList } from "@property-search/contract/settings";

import { emptyToUndefined, type SettingsReader } from "../settingsReader.ts";
import { credentialsError } from "./credentials.ts";
import { certificatesError, keyError, type TlsFiles } from "./tls.ts";
import { redisUrlErrors, type RedisMode } from "./url.ts";

export interface RedisConfig {
    /** URLs of the server, of some nodes of the cluster, or of the sentinels. */
    readonly urls: readonly [URL, ...URL[]];
    readonly mode: RedisMode;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    /** Directory of credential files, which take precedence over user and password. */
    readonly credentials?: string | undefined;
    /** Only in mode `sentinel`. */
    readonly sentinel?: SentinelConfig | undefined;
    /** Only with rediss:// URLs. */
    readonly tls?: TlsFiles | undefined;
}

export interface SentinelConfig {
    /** Name of the primary with its replicas. */
    readonly master: string;
    /** Password of the sentinels themselves. */
    readonly password?: string | undefined;
}

/** @returns undefined without Redis */
export function readRedisConfig(read: SettingsReader): RedisConfig | undefined {
    const { redisUrl, redisMode: mode, redisUsername, redisPassword } = read.values;
    const urls = partsOfList(redisUrl).flatMap((text) => URL.parse(text) ?? []);
    const isValid = ({ protocol, hostname }: URL) => /^rediss?:$/.test(protocol) && hostname !== "";
    if (urls.length < partsOfList(redisUrl).length || !urls.every(isValid)) {
        read.addError("redisUrl", "a URL such as redis://host:6379, or several, comma-separated");
        return undefined;
    }
    const [first, ...others] = urls;
    if (first === undefined) return undefined;
    if (others.some(({ protocol }) => protocol !== first.protocol)) {
        read.addError("redisUrl", "URLs that all begin with redis://, or all with rediss://");
    }
    if (others.length > 0 && mode === "standalone") {
        read.addError("redisUrl", "one URL, since REDIS_MODE is standalone");
    }
    const hasFiles = read.values.redisCredentialsDirectory !== "";
    const separateLogin = {
        username: hasFiles || redisUsername !== "",
        password: hasFiles || redisPassword !== "",
    };
    for (const allowed of redisUrlErrors(urls, mode, separateLogin)) {
        read.addError("redisUrl", allowed);
    }
    return {
        urls: [first, ...others],
        mode,
        username: emptyToUndefined(redisUsername),
        password: emptyToUndefined(redisPassword),
        credentials: readCredentialsDirectory(read),
        sentinel: readSentinel(read, mode),
        tls: readTlsFiles(read, first.protocol === "rediss:"),
    };
}

function readCredentialsDirectory(read: SettingsReader): string | undefined {
    const folder = emptyToUndefined(read.values.redisCredentialsDirectory);
    if (folder === undefined) return undefined;
    read.addErrorIf(
        "redisCredentialsDirectory",
        "a folder with the file password",
        credentialsError(folder),
    );
    for (const name of ["redisUsername", "redisPassword", "redisSentinelPassword"] as const) {
        if (read.values[name] === "") continue;
        read.addError(name, "nothing, since REDIS_CREDENTIALS_DIR is set");
    }
    return folder;
}

function readSentinel(read: SettingsReader, mode: RedisMode): SentinelConfig | undefined {
    const { redisSentinelMaster: master, redisSentinelPassword } = read.values;
    if (mode !== "sentinel") {
        if (master !== "") {
            read.addError("redisSentinelMaster", `nothing, since REDIS_MODE is ${mode}`);
        }
        return undefined;
    }
    if (master === "") {
        const allowed = "the sentinels' name of the primary, since REDIS_MODE is sentinel";
        read.addError("redisSentinelMaster", allowed);
    }
    return { master, password: emptyToUndefined(redisSentinelPassword) };
}

const TLS_FILES = ["redisCaFile", "redisCertFile", "redisKeyFile"] as const;

function readTlsFiles(read: SettingsReader, usesTls: boolean): TlsFiles | undefined {
    const [ca, cert, key] = TLS_FILES.map((name) => emptyToUndefined(read.values[name]));
    if (!usesTls) {
        for (const name of TLS_FILES) {
            if (read.values[name] === "") continue;
            read.addError(name, "nothing, since REDIS_URL does not begin with rediss://");
        }
        return undefined;
    }
    const certificates = "a file of certificates in PEM";
    read.addErrorIf("redisCaFile", certificates, ca && certificatesError(ca));
    read.addErrorIf("redisCertFile", certificates, cert && certificatesError(cert));
    const keys = "a file with the certificate's key in PEM";
    read.addErrorIf("redisKeyFile", keys, key && keyError(key, cert));
    if ((cert === undefined) !== (key === undefined)) {
        const [missing, present] = cert ? (["Key", "CERT"] as const) : (["Cert", "KEY"] as const);
        read.addError(`redis${missing}File`, `a file, since REDIS_${present}_FILE is set`);
    }
    return { ca, cert, key };
}
