/** Every key that the service writes to Redis starts with this; its ACL user may touch no other. */
export const CACHE_KEY_PREFIX = "embedding:";

/**
 * So long after an order about a trial was answered it holds in every pod: pods that reach Redis follow
 * within 1.2 s, and one that has not read who is on trial for so long serves no entry of another build.
 */
export const TRIALS_FOLLOW_MILLISECONDS = 5_000;
