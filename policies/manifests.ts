import { UserError } from "@property-search/contract";
import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import {
    isCollection,
    isPair,
    isScalar,
    LineCounter,
    parseAllDocuments,
    Scalar,
    visit,
    type Document,
    type ParsedNode,
    type Tags,
} from "yaml";
import { isJson, toObjects, type KubernetesObject } from "./kubernetes/object.ts";

/** YAML as kubectl reads it: version 1.1 without dates, sexagesimals and custom types, as Go's parser. */
const KUBECTL_YAML = {
    version: "1.1",
    merge: true,
    customTags: (tags: Tags) => tags.filter((tag) => !EXCLUDED_TAGS.test(tagName(tag))),
} as const;
const EXCLUDED_TAGS = /timestamp|binary|omap|pairs|set$/;
const SEXAGESIMAL = /^[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?$/;

/** Start of a placeholder of Helm, Go or Jinja templates. */
const TEMPLATE = /\{\{|\{%/;

/**
 * Reads the Kubernetes objects of a YAML or JSON file, including the items of Lists.
 *
 * @param file `-` is standard input
 * @param note receives a message for each skipped document. Default: none is reported
 * @throws UserError that names file and line, for invalid input or an unrendered template
 */
export async function readManifests(
    file: string,
    note: (message: string) => void = () => undefined,
): Promise<KubernetesObject[]> {
    // Not readFile of descriptor 0, which fails for a pipe without data yet.
    const raw = await (file === "-" ? textOf(process.stdin) : readFile(file, "utf8"));
    const name = file === "-" ? "standard input" : file;
    const text = raw.replace(/^\uFEFF/, "");
    const found = parseJson(text) ?? parseYaml(text, name);
    return found.flatMap(({ value, line }) => {
        const objects = toObjects(value);
        if (objects.length === 0 && value !== null) {
            const isList = isJson(value) && typeof value.kind === "string";
            const problem = isList
                ? "a List without objects"
                : "not a Kubernetes object: apiVersion and kind are required";
            note(`${name}, line ${line}: ${problem}`);
        }
        return objects;
    });
}

interface ParsedDocument {
    readonly value: unknown;
    readonly line: number;
}

/** JSON is valid YAML, but the JSON parser takes a hundredth of the time. @returns undefined for other YAML */
function parseJson(text: string): ParsedDocument[] | undefined {
    if (!/^\s*[{[]/.test(text)) return undefined;
    try {
        return [{ value: JSON.parse(text) as unknown, line: 1 }];
    } catch {
        return undefined;
    }
}

function parseYaml(text: string, name: string): ParsedDocument[] {
    const lines = new LineCounter();
    const documents = parseAllDocuments(text, { ...KUBECTL_YAML, lineCounter: lines });
    if (!Array.isArray(documents)) return [];
    const lineAt = (offset: number) => lines.linePos(offset).line;
    return documents.map((document) => {
        const [error] = document.errors;
        const template = findTemplate(document);
        if (template !== undefined) throw templateError(name, lineAt(template));
        if (error) {
            const line = lineAt(error.pos[0]);
            const source = text.split("\n")[line - 1] ?? "";
            if (TEMPLATE.test(source)) throw templateError(name, line);
            throw new UserError(
                `${name}, line ${line}: invalid YAML: ${error.message.split("\n")[0]}`,
                {
                    cause: error,
                },
            );
        }
        keepSexagesimals(document);
        return {
            value: toValue(document, name),
            line: lineAt(document.contents?.range[0] ?? document.range[0]),
        };
    });
}

function toValue(document: Document.Parsed, name: string): unknown {
    try {
        return document.toJS() as unknown;
    } catch (error) {
        // Aliases that expand too far or are undefined.
        throw new UserError(`${name} is not valid YAML: ${(error as Error).message}`, {
            cause: error,
        });
    }
}

function templateError(name: string, line: number): UserError {
    const problem = "is an unrendered template; allowed: the output of `helm template` or similar";
    return new UserError(`${name}, line ${line}: ${problem}`);
}

/** Fields whose values cannot contain braces, unlike free text. */
const PLAIN_FIELDS = ["apiVersion", "kind", "name", "namespace", "image"];

/** @returns the offset of a template's braces: in a key that is a map, or in a field that cannot contain braces. */
function findTemplate(document: Document.Parsed): number | undefined {
    let found: number | undefined;
    visit(document, {
        Pair(_, { key, value }, path) {
            const node = key as ParsedNode | null;
            // `{{ x }}` is a map whose key is a map.
            if (isCollection(node)) found = node.range[0];
            const isPlain = isScalar(key) && PLAIN_FIELDS.includes(String(key.value));
            const isShallow = path.filter(isPair).length < 8;
            if (isPlain && isShallow && isScalar(value) && TEMPLATE.test(String(value.value))) {
                found = value.range?.[0];
            }
            return found === undefined ? undefined : visit.BREAK;
        },
    });
    return found;
}

function keepSexagesimals(document: Document.Parsed): void {
    visit(document, {
        Scalar(_, scalar) {
            const { type, source = "" } = scalar;
            if (type === Scalar.PLAIN && SEXAGESIMAL.test(source)) scalar.value = source;
        },
    });
}

function tagName(tag: Tags[number]): string {
    return typeof tag === "string" ? tag : tag.tag;
}
