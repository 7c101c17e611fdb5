/** Every key that the service writes to Redis starts with this; its ACL user may touch no other. */
export const CACHE_KEY_PREFIX = "embedding:";
