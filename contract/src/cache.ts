/** Prefix of every Redis key of the service. Its ACL user has no access to other keys. */
export const CACHE_KEY_PREFIX = "embedding:";

/**
 * Propagation delay of a quarantine to all pods. Pods that reach Redis apply it within 1.2 s; a pod that has
 * not read the quarantine records for this long serves no entries of other builds.
 */
export const QUARANTINE_PROPAGATION_MILLISECONDS = 5_000;
