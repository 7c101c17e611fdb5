import { describe, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";
import { readManifests } from "../manifests.ts";

const folder = makeTemporaryFolder();

/** The names of a text's objects, and what is noted of the rest. */
async function read(text: string) {
    const file = path.join(folder, "a.yaml");
    writeFileSync(file, text);
    const notes: string[] = [];
    const objects = await readManifests(file, (words) => notes.push(words.replace(file, "FILE")));
    return { objects, names: objects.map(({ name }) => name), notes };
}

const MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
const A = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}';
const NONE = "not a Kubernetes object: apiVersion and kind are required";

describe("manifests", () => {
    test.each([
        ["YAML", MAP],
        ["with a byte order mark", `\uFEFF${MAP}`],
        ["with Windows' line ends", MAP.replaceAll("\n", "\r\n")],
        ["JSON", A],
        ["JSON as YAML takes it", A.replace("}}", "},}")],
        ["JSON after a comment", `# a\n${A}`],
        ["with empty documents", `---\n# nothing\n---\n${MAP}---\n...\n`],
        [
            "a List with nothing in some places",
            `{apiVersion: v1, kind: List, items: [null, 3, ${A}]}`,
        ],
        [
            "a List in a List",
            `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: [${A}]}]}`,
        ],
        ["a typed List", "{apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: a}}]}"],
        ["braces in a text", `${MAP}data: { rule: "{{ $labels.x }} {% x %}" }\n`],
    ])("are read: %s", async (_, text) => {
        expect(await read(text)).toMatchObject({ names: ["a"], notes: [] });
    });

    test("are read as kubectl does: merge keys, anchors, and words of YAML 1.1", async () => {
        const { objects } = await read(
            `${MAP}data: { <<: &m { b: "1" }, c: yes, d: 012, e: 12:30:45, f: 2024-01-25, g: "no" }\nextra: *m\n`,
        );
        expect(objects[0]?.body).toMatchObject({
            data: { b: "1", c: true, d: 10, e: "12:30:45", f: "2024-01-25", g: "no" },
            extra: { b: "1" },
        });
    });

    test.each([
        ["a file of something else", "services: { web: {} }\n", [`FILE, line 1: ${NONE}`]],
        ["a document of something else", `x: &a { y: 1 }\n---\n${MAP}`, [`FILE, line 1: ${NONE}`]],
        ["a list", `[${A}]`, [`FILE, line 1: ${NONE}`]],
        ["a word", "nginx\n", [`FILE, line 1: ${NONE}`]],
        ["a kind that is none", "apiVersion: 1\nkind: [x]\n", [`FILE, line 1: ${NONE}`]],
        [
            "an empty List",
            "\n{apiVersion: v1, kind: List, items: null}\n",
            ["FILE, line 2: a List without objects"],
        ],
    ])("report skipped documents: %s", async (_, text, notes) => {
        expect((await read(text)).notes).toEqual(notes);
    });

    test.each([
        [
            "Helm's words on lines of their own",
            "{{- if .Values.x }}\napiVersion: v1\n{{- end }}\n",
            1,
        ],
        [
            "Helm's for a value",
            "apiVersion: v1\nkind: Service\nmetadata: {{ toYaml .Values.x }}\n",
            3,
        ],
        [
            "Helm's in a name",
            'apiVersion: v1\nkind: Service\nmetadata: { name: "{{ .Release.Name }}" }\n',
            3,
        ],
        [
            "Helm's between lines",
            'apiVersion: v1\nkind: Service\nmetadata:\n  labels:\n{{ include "x" . | indent 4 }}\n',
            5,
        ],
        ["Jinja's", "{% if x %}\na: b\n{% endif %}\n", 1],
    ])("are rejected with their name if they are templates: %s", async (_, text, line) => {
        await expect(read(text)).rejects.toThrow(`a.yaml, line ${line}: is an unrendered template`);
    });

    test.each([
        [
            "a duplicate key",
            "a: 1\na: 2\n",
            /a\.yaml, line 2: invalid YAML: Map keys must be unique/,
        ],
        ["a tab", "a:\n\tb: 1\n", /a\.yaml, line 2: invalid YAML: /],
        [
            "an alias of nothing",
            "a: *b\n",
            /a\.yaml.* (is not valid|invalid) YAML: Unresolved alias/,
        ],
        ["half of a JSON", A.slice(0, -1), /a\.yaml, line 1: invalid YAML: /],
    ])("are rejected with their line: %s", async (_, text, words) => {
        await expect(read(text)).rejects.toThrow(words);
    });

    test("may be large", async () => {
        const many = Array.from({ length: 2000 }, (__, at) => MAP.replace("a }", `a${at} }`));
        expect((await read(many.join("---\n"))).names).toHaveLength(2000);
    });
});
