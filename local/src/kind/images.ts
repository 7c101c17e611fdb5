import path from "node:path";
import { digestContext, findImage } from "../images/catalogue.ts";
import { createReference, type ImageReferences } from "../images/images.ts";
import { REPOSITORY } from "../paths.ts";
import { run, tryRun, type Step } from "../shell.ts";
import type { Engine } from "./engine.ts";

/** Images of third parties: the cluster pulls those that the engine does not have. */
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
    { name: "grafana", references: ["docker.io/grafana/grafana:12.4.0"] },
];

/** Images that the engine builds. */
const OWN_IMAGES = ["embedding-service", "insights", "property-search"] as const;
type OwnImage = (typeof OWN_IMAGES)[number];

/**
 * Builds an image of the repository, once for each content, and tags it with each of its versions. Images of older contents
 * are removed.
 */
export async function buildOwnImage(
    step: Step,
    engine: Engine,
    name: OwnImage,
): Promise<ImageReferences> {
    const { recipe, versions } = findImage(name);
    if (recipe.kind !== "workspace") throw new Error(`${name} has no Dockerfile`);
    const key = await digestContext(recipe.folder);
    const references = versions.map((version) => createReference(name, version, key));
    const present = await tryRun(engine, ["image", "inspect", ...references]);
    if (present === undefined) {
        step.report(`building ${name}`);
        const tags = references.flatMap((reference) => ["--tag", reference]);
        const dockerfile = path.join(REPOSITORY, recipe.folder, "Dockerfile");
        await run(step, engine, ["build", ...tags, "--file", dockerfile, REPOSITORY], {
            // An attestation makes the image an index, of which kind's node finds one part only.
            env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
            doing: `building the image ${references[0] ?? name}`,
        });
    }
    await removeImages(step, engine, name, references);
    return { name, references };
}

/** References of those images that the engine has. */
export async function selectLocalImages(
    engine: Engine,
    images: readonly ImageReferences[],
): Promise<(readonly string[])[]> {
    const found = await Promise.all(
        images.map(({ references }) => tryRun(engine, ["image", "inspect", ...references])),
    );
    return images.filter((_, index) => found[index] !== undefined).map((image) => image.references);
}

/** Removes what `make up` has built from the engine. */
export async function removeOwnImages(step: Step, engine: Engine): Promise<void> {
    for (const name of OWN_IMAGES) await removeImages(step, engine, name, []);
}

async function removeImages(
    step: Step,
    engine: Engine,
    name: OwnImage,
    except: readonly string[],
): Promise<void> {
    const filter = ["--filter", `reference=localhost/${name}`];
    const format = ["--format", "{{.Repository}}:{{.Tag}}"];
    const listed = (await tryRun(engine, ["images", ...filter, ...format])) ?? "";
    const images = listed.split("\n").filter((image) => image !== "" && !except.includes(image));
    if (images.length > 0) await run(step, engine, ["rmi", ...images]);
}
