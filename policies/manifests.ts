import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import { parseAllDocuments } from "yaml";
import { objectsOf, type KubernetesObject } from "./core/object.ts";

/**
 * The Kubernetes objects of a file of YAML or JSON, Lists opened.
 *
 * @param file `-` is standard input
 * @throws Error that names the file and the place, when it is neither
 */
export async function readManifests(file: string): Promise<KubernetesObject[]> {
    // Not readFile of descriptor 0: a pipe that has nothing yet fails it.
    const text = await (file === "-" ? textOf(process.stdin) : readFile(file, "utf8"));
    const name = file === "-" ? "standard input" : file;
    // JSON is YAML, but its own parser takes a hundredth of the time.
    const values = /^\s*[{[]/.test(text) ? [parseJson(text, name)] : parseYaml(text, name);
    return values.flatMap(objectsOf);
}

function parseJson(text: string, name: string): unknown {
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new Error(`${name} is no JSON: ${(error as Error).message}`, { cause: error });
    }
}

function parseYaml(text: string, name: string): unknown[] {
    const documents = parseAllDocuments(text);
    if (!Array.isArray(documents)) return [];
    return documents.map((document) => {
        const [error] = document.errors;
        if (error) throw new Error(`${name} is no YAML: ${error.message}`, { cause: error });
        return document.toJS() as unknown;
    });
}
