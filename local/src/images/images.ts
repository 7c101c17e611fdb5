/** An image by its names. */
export interface ImageReferences {
    readonly name: string;
    /** References, all of the same content, such as `localhost/redis:v7-0123456789ab`. */
    readonly references: readonly string[];
}

/** An image that a node can import. */
export interface Image extends ImageReferences {
    /** An archive as `docker load` and `ctr images import` read it. */
    readonly archive: string;
}

/** Reference of an image's version with its content's hash, so that a pod's image never changes under it. */
export function createReference(name: string, version: string, key: string): string {
    return `localhost/${name}:${version}-${key}`;
}

/** The program's config values that put local images in the place of official ones: those that serve. */
export function imageOverrides(images: readonly ImageReferences[]): Record<string, string> {
    return {
        "blue.image": reference(images, "embedding-service", "v1.0.0-"),
        "green.image": reference(images, "embedding-service", "v2.0.0-enhanced-"),
        "redis.image": reference(images, "redis"),
        "redis.nodeImage": reference(images, "embedding-service", "v1.0.0-"),
    };
}

/** The same for those that watch. */
export function monitoringOverrides(images: readonly ImageReferences[]): Record<string, string> {
    return {
        "monitoring.prometheusImage": reference(images, "prometheus"),
        "alertmanager.image": reference(images, "alertmanager"),
        "monitoring.kubeStateMetricsImage": reference(images, "kube-state-metrics"),
        "monitoring.redisExporterImage": reference(images, "redis-exporter"),
        "insights.image": reference(images, "insights"),
        "example.image": reference(images, "property-search"),
    };
}

/** The same for Grafana, whose image no package brings. */
export function grafanaOverrides(images: readonly ImageReferences[]): Record<string, string> {
    return { "grafana.enabled": "true", "grafana.image": reference(images, "grafana") };
}

function reference(images: readonly ImageReferences[], name: string, version = ""): string {
    const image = images.find((one) => one.name === name);
    const match = image?.references.find((one) => one.includes(`:${version}`));
    if (match === undefined) throw new Error(`there is no image ${name} ${version}`);
    return match;
}
