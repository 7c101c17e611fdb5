/** Container and Service ports, by name. */
export const PORTS = {
    /** The embedding service: API, probes and metrics. The Gateway routes only the API's paths. */
    service: 8001,
    /** The service's administration, on the pod's loopback only: one gets there by port-forward. */
    admin: 8801,
    redis: 6379,
    /** Redis Cluster's bus: always the client port + 10,000. */
    redisBus: 16379,
    prometheus: 9090,
    alertmanager: 9093,
    /** By which several of them tell each other what they have sent. */
    alertmanagerPeers: 9094,
    grafana: 3000,
    redisExporter: 9121,
    kubeStateMetrics: 8080,
} as const;
