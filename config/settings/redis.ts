import {
    BOOLEAN,
    NAME,
    oneOf,
    partsOf,
    PORT,
    setting,
    text,
    token,
} from "@property-search/contract/settings";
import { DEFAULT_REDIS } from "../../components/redis.ts";
import { bytes, CPUS, IMAGE, image, OBJECT_NAME, STORAGE } from "../allowed.ts";
import { GENERATED, is, isNot, isSet, usedIf } from "./row.ts";

const PASSWORD = token(8, "a password");
const OWN = usedIf(["redis.mode", isNot("external")]);
const EXTERNAL = usedIf(["redis.mode", is("external")]);
const SENTINEL = usedIf(...EXTERNAL.usedIf, ["redis.sentinelMaster", isSet]);

const URLS_OF_REDIS = {
    ...text((value) => {
        const urls = value.split(",");
        const kinds = new Set(urls.map((url) => url.split(":")[0]));
        const isRepeated = new Set(urls).size < urls.length;
        return urls.every(isUrlOfRedis) && kinds.size === 1 && !isRepeated;
    }, "redis://host:port or rediss://host:port, without credentials, or several of one kind, comma-separated"),
    isUrl: true,
};

function isUrlOfRedis(url: string): boolean {
    const { scheme = "", port, rest } = partsOf(url) ?? {};
    return /^rediss?$/.test(scheme) && port !== undefined && rest === "";
}

export const REDIS = {
    "redis.mode": setting(oneOf("standalone", "cluster", "external"), DEFAULT_REDIS.mode)`
        standalone (one Redis; the strict policies need an exemption for it), cluster (3 primaries and 3 replicas) or
        external (a managed Redis).`,
    "redis.image": setting(image(["Redis", 7, 0]), DEFAULT_REDIS.image, OWN)`Image of Redis.`,
    "redis.nodeImage": setting(IMAGE, DEFAULT_REDIS.nodeImage, OWN)`
        Image with Node 22 or newer, with which a Redis Cluster looks up the zones of its nodes.`,
    "redis.memoryLimit": setting(bytes("16Ti", "64Mi"), DEFAULT_REDIS.memoryLimit, OWN)`
        Memory limit of each Redis pod: three quarters of it hold the cache.`,
    "redis.cpuRequest": setting(CPUS, DEFAULT_REDIS.cpuRequest, OWN)`
        CPU request of each Redis pod.`,
    "redis.storage": setting(STORAGE, DEFAULT_REDIS.storage, OWN)`
        Size of the volume of each Redis pod; at least redis.memoryLimit.`,
    "redis.storageClass": setting(OBJECT_NAME, "", OWN)`
        Storage class of the volumes. Not set: the cluster's default.`,
    "redis.requireZones": setting(BOOLEAN, DEFAULT_REDIS.requireZones)`
        Whether pods of a Redis Cluster stay pending rather than run in fewer than three zones, or with more than two of
        them in one zone. false: they are spread as well as the nodes allow.`,
    "redis.url": setting(URLS_OF_REDIS, "", EXTERNAL)`
        URL of an external Redis, without credentials; comma-separated URLs of cluster nodes or sentinels. Required when
        redis.mode is external.`,
    "redis.clustered": setting(BOOLEAN, false, EXTERNAL)`
        Whether the external Redis is a Redis Cluster.`,
    "redis.sentinelMaster": setting(NAME, "", EXTERNAL)`
        Name of the primary, where redis.url lists the sentinels of an external Redis.`,
    "redis.sentinelDataPort": setting(PORT, 6_379, SENTINEL)`
        Port of the Redis servers that the sentinels monitor.`,
    "redis.secretName": setting(OBJECT_NAME, "", EXTERNAL)`
        Existing Secret in each colour's namespace with the keys username and password, and sentinel-password if the
        sentinels require one. Required when redis.mode is external.`,
    "redis.caSecretName": setting(OBJECT_NAME, "", EXTERNAL)`
        Existing Secret in each colour's namespace whose key ca.crt holds the CA certificates for an external Redis. Not
        set: those of Node.`,
    "redis.certSecretName": setting(OBJECT_NAME, "", EXTERNAL)`
        Existing Secret in each colour's namespace, of type kubernetes.io/tls, with the client certificate for an
        external Redis.`,
    "redis.passwords.app": setting(PASSWORD, "", GENERATED)`
        Password of the service's Redis user. Generated on the stack's first deploy.`,
    "redis.passwords.exporter": setting(PASSWORD, "", GENERATED)`
        Password of the metrics exporter's Redis user. Generated on the stack's first deploy.`,
    "redis.passwords.admin": setting(PASSWORD, "", GENERATED)`
        Password of the Redis user for replication and administration. Generated on the stack's first deploy.`,
};
