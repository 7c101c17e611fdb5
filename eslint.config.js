import pulumi from "@pulumi/eslint-plugin";
import prettier from "eslint-config-prettier";
import { defineConfig, globalIgnores } from "eslint/config";
import typescript from "typescript-eslint";

export default defineConfig(
    globalIgnores(["**/node_modules/", "rendered/", "reports/", "bench/results/"]),
    typescript.configs.strictTypeChecked,
    typescript.configs.stylisticTypeChecked,
    {
        languageOptions: {
            parserOptions: {
                projectService: true,
                tsconfigRootDir: import.meta.dirname,
            },
        },
        plugins: { "@pulumi": pulumi },
        rules: {
            "@pulumi/no-output-in-template-literal": "error",
            "@pulumi/no-output-instance-in-template-literal": "error",
            // The Kubernetes client declares plain JSON as classes.
            "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
            "@typescript-eslint/no-misused-spread": "off",
            eqeqeq: "error",
            "prefer-const": "error",
            // A number in a template literal is formatted the same everywhere.
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
            "@typescript-eslint/no-confusing-void-expression": [
                "error",
                { ignoreArrowShorthand: true },
            ],
        },
    },
    // Its API classes discard fields of objects without a word, such as a NetworkPolicy's `from`.
    {
        rules: {
            "no-restricted-imports": [
                "error",
                {
                    patterns: [
                        {
                            regex: "^@kubernetes/client-node$",
                            importNamePattern: "Api$|^PatchStrategy$|Serializer$|^Watch$|Informer$",
                            message: "Use ObjectApi of operations/cluster/objects.ts: plain JSON.",
                        },
                    ],
                },
            ],
        },
    },
    // A rejection that nobody handles ends the service: `void` only says that nobody does; see app/src/detach.ts.
    {
        files: ["app/src/**/*.ts"],
        rules: {
            "@typescript-eslint/no-floating-promises": [
                "error",
                {
                    ignoreVoid: false,
                    allowForKnownSafePromises: [
                        {
                            from: "package",
                            package: "fastify",
                            name: ["FastifyReply", "FastifyInstance"],
                        },
                    ],
                },
            ],
        },
    },
    // An iterator over the numbers of a vector takes seven times as long as an index, and 16 bytes a number.
    {
        files: ["app/src/vector/*.ts"],
        rules: { "@typescript-eslint/prefer-for-of": "off" },
    },
    // Faults reach into manifests that they are about to break: types would be of what was there before.
    {
        files: ["policies/mutations/*.ts", "policies/rules/*/mutations.ts"],
        rules: {
            "@typescript-eslint/no-explicit-any": "off",
            "@typescript-eslint/no-unsafe-argument": "off",
            "@typescript-eslint/no-unsafe-assignment": "off",
            "@typescript-eslint/no-unsafe-call": "off",
            "@typescript-eslint/no-unsafe-member-access": "off",
            "@typescript-eslint/no-unsafe-return": "off",
            "@typescript-eslint/no-dynamic-delete": "off",
            "@typescript-eslint/restrict-plus-operands": "off",
            "@typescript-eslint/restrict-template-expressions": "off",
        },
    },
    // Every property test takes its number of runs and its seed from tests/support/property.ts.
    {
        files: ["**/*.test.ts", "**/test/**/*.ts", "tests/**/*.ts"],
        rules: {
            "no-restricted-syntax": [
                "error",
                {
                    selector:
                        "CallExpression[callee.object.name='fc'][callee.property.name=/^(assert|check)$/][arguments.length<2]",
                    message: "pass propertyRuns(fullRuns)",
                },
            ],
        },
    },
    // Plain JavaScript is configuration only and has no types to check.
    {
        files: ["**/*.js", "**/*.mjs"],
        extends: [typescript.configs.disableTypeChecked],
        languageOptions: { globals: { process: "readonly" } },
        rules: {
            "@pulumi/no-output-in-template-literal": "off",
            "@pulumi/no-output-instance-in-template-literal": "off",
        },
    },
    prettier,
);
