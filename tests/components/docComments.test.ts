import { expect, test } from "@jest/globals";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const COMPONENTS = path.resolve(import.meta.dirname, "../../components");
const NAME = /(Args|Settings)$/;

/** Fields of the exported arguments and settings of a file: those of interfaces and of unions of objects. */
function fieldsOf(file: string): (readonly [name: string, field: ts.PropertySignature])[] {
    const text = readFileSync(path.join(COMPONENTS, file), "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
    return source.statements.flatMap((statement) => {
        const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
        if (!isType || !NAME.test(statement.name.text) || !isExported(statement)) return [];
        const literals: readonly (ts.InterfaceDeclaration | ts.TypeLiteralNode)[] =
            ts.isInterfaceDeclaration(statement)
                ? [statement]
                : (ts.isUnionTypeNode(statement.type)
                      ? [...statement.type.types]
                      : [statement.type]
                  ).filter((type) => ts.isTypeLiteralNode(type));
        const members = literals.flatMap((literal) => [...literal.members]);
        const owner = `${file}: ${statement.name.text}`;
        return members
            .filter(ts.isPropertySignature)
            .map((field) => [`${owner}.${field.name.getText()}`, field] as const);
    });
}

function isExported({ modifiers }: ts.InterfaceDeclaration | ts.TypeAliasDeclaration): boolean {
    return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

const FIELDS = globSync("**/*.ts", { cwd: COMPONENTS }).sort().flatMap(fieldsOf);

test("every argument and setting of a component has a doc comment", () => {
    const undocumented = FIELDS.filter(
        ([, field]) => !ts.getJSDocCommentsAndTags(field).some(ts.isJSDoc),
    );
    expect(FIELDS.length).toBeGreaterThan(100);
    expect(undocumented.map(([name]) => name)).toEqual([]);
});

test("every optional one documents its default", () => {
    const silent = FIELDS.filter(
        ([, field]) =>
            field.questionToken !== undefined &&
            !ts.getJSDocTags(field).some(({ tagName }) => tagName.text === "default"),
    );
    expect(silent.map(([name]) => name)).toEqual([]);
});
