/** Container and Service ports, by name. */
export const PORTS = {
    /** The embedding service: API, probes and metrics. The Gateway routes only the API's paths. */
    service: 8001,
    /** The service's admin API, on the pod's loopback interface; reachable by port-forward only. */
    admin: 8801,
    /** The admin API's part for programs of the stack; only with a token of its own. */
    automation: 8802,
    /** The page and API of insights. */
    insights: 8090,
    /** The page and API of the example, a property search. */
    example: 3000,
    redis: 6379,
    /** Redis Cluster bus: always the client port + 10,000. */
    redisBus: 16379,
    prometheus: 9090,
    alertmanager: 9093,
    /** Gossip between the replicas of Alertmanager. */
    alertmanagerPeers: 9094,
    grafana: 3000,
    redisExporter: 9121,
    kubeStateMetrics: 8080,
} as const;
