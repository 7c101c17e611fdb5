import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { isMap, isSeq, parse, parseAllDocuments, type Document } from "yaml";
import { asJson } from "../../../policies/kubernetes/object.ts";

export const KUSTOMIZATION = "kustomization.yaml";

/** https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/: the fields that the projects use. */
interface Kustomization {
    readonly resources?: readonly string[];
    readonly components?: readonly string[];
    readonly images?: readonly { name: string; newName?: string; newTag?: string }[];
    /** Also set in selectors and pods. */
    readonly commonLabels?: Labels;
    readonly labels?: readonly { pairs: Labels; includeSelectors?: boolean }[];
}
type Labels = Readonly<Record<string, string>>;
const SUPPORTED = "apiVersion kind resources components images commonLabels labels".split(" ");

const TEMPLATE = ["spec", "template"];
const SELECTORS: Readonly<Record<string, readonly string[]>> = {
    Service: ["spec", "selector"],
    Deployment: ["spec", "selector", "matchLabels"],
};

/**
 * Builds the objects of a kustomization.
 *
 * @throws Error for an unsupported field, so that none is ignored silently
 */
export async function buildKustomization(file: string): Promise<unknown[]> {
    return (await build(file, [])).map((document) => document.toJS() as unknown);
}

/** @param input documents that a component changes */
async function build(file: string, input: readonly Document[]): Promise<Document[]> {
    const kustomization = asJson(parse(await readFile(file, "utf8")));
    const unsupported = Object.keys(kustomization).filter((field) => !SUPPORTED.includes(field));
    if (unsupported.length > 0)
        throw new Error(`${file} has ${unsupported.join(", ")}, which is not supported`);
    const { resources, components, images, commonLabels, labels } = kustomization as Kustomization;
    let documents = [...input];
    for (const resource of resources ?? []) documents.push(...(await load(file, resource)));
    for (const component of components ?? []) {
        documents = await build(path.join(path.dirname(file), component, KUSTOMIZATION), documents);
    }
    for (const document of documents) {
        label(document, commonLabels ?? {}, true);
        for (const { pairs, includeSelectors } of labels ?? []) {
            label(document, pairs, includeSelectors ?? false);
        }
        setImages(document, images ?? []);
    }
    return documents;
}

async function load(from: string, resource: string): Promise<Document[]> {
    const target = path.join(path.dirname(from), resource);
    if ((await stat(target)).isDirectory()) return build(path.join(target, KUSTOMIZATION), []);
    const documents = parseAllDocuments(await readFile(target, "utf8"));
    return Array.isArray(documents) ? documents.filter(({ contents }) => isMap(contents)) : [];
}

function label(document: Document, labels: Labels, inSelectors: boolean): void {
    for (const [name, value] of Object.entries(labels)) {
        document.setIn(["metadata", "labels", name], value);
        if (!inSelectors) continue;
        const selector = SELECTORS[document.get("kind") as string];
        if (selector) document.setIn([...selector, name], value);
        if (document.hasIn(TEMPLATE)) {
            document.setIn([...TEMPLATE, "metadata", "labels", name], value);
        }
    }
}

function setImages(document: Document, images: NonNullable<Kustomization["images"]>): void {
    const containers = document.getIn([...TEMPLATE, "spec", "containers"]);
    for (const container of isSeq(containers) ? containers.items.filter(isMap) : []) {
        const [, name = "", tag = ""] =
            /^(.*?)(:[^:/]*)?$/.exec(String(container.get("image"))) ?? [];
        const image = images.find((one) => one.name === name);
        if (!image) continue;
        const { newName = name, newTag = tag.slice(1) } = image;
        container.set("image", `${newName}:${newTag}`);
    }
}
