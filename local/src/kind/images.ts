import path from "node:path";
import { digestServiceContext, imageNamed } from "../images/catalogue.ts";
import { referenceOf, type ImageReferences } from "../images/images.ts";
import { REPOSITORY } from "../paths.ts";
import { run, tryRun, type Step } from "../shell.ts";

/** Images that the cluster pulls by itself. */
export const OFFICIAL_IMAGES: readonly ImageReferences[] = [
    { name: "redis", references: ["docker.io/library/redis:8.2.3-bookworm"] },
    { name: "traefik", references: ["docker.io/library/traefik:v3.7.15"] },
    {
        name: "metrics-server",
        references: ["registry.k8s.io/metrics-server/metrics-server:v0.9.0"],
    },
    { name: "prometheus", references: ["docker.io/prom/prometheus:v3.5.1"] },
    { name: "alertmanager", references: ["docker.io/prom/alertmanager:v0.28.1"] },
    { name: "redis-exporter", references: ["docker.io/oliver006/redis_exporter:v1.77.0"] },
    {
        name: "kube-state-metrics",
        references: ["registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.18.0"],
    },
    { name: "keda", references: ["ghcr.io/kedacore/keda:2.20.2"] },
    { name: "keda-adapter", references: ["ghcr.io/kedacore/keda-metrics-apiserver:2.20.2"] },
];

/** Builds the service's image by Docker, once for each content, and tags it for each colour. */
export async function buildServiceImage(step: Step): Promise<ImageReferences> {
    const { name, versions } = imageNamed("embedding-service");
    const key = await digestServiceContext();
    const references = versions.map((version) => referenceOf(name, version, key));
    const present = await tryRun("docker", ["image", "inspect", ...references]);
    if (present === undefined) {
        step.say(`building ${name}`);
        const tags = references.flatMap((reference) => ["--tag", reference]);
        const dockerfile = path.join(REPOSITORY, "app/Dockerfile");
        await run(step, "docker", ["build", ...tags, "--file", dockerfile, REPOSITORY], {
            doing: `building the image ${references[0] ?? name}`,
        });
    }
    return { name, references };
}
