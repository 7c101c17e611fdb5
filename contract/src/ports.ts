/** Container and Service ports, by name. */
export const PORTS = {
    /** The embedding service: API, probes and metrics. The Gateway routes only the API's paths. */
    service: 8001,
    redis: 6379,
    /** Redis Cluster's bus: always the client port + 10,000. */
    redisBus: 16379,
} as const;
