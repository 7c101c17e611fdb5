// Tests see a copy of the environment, so the service cannot switch its native runtime's telemetry off.
process.env.ORT_DISABLE_TELEMETRY = "1";

const base = {
    rootDir: import.meta.dirname,
    testEnvironment: "node",
    transform: {
        "^.+\\.[jt]s$": [
            "@swc/jest",
            {
                jsc: { target: "es2024", parser: { syntax: "typescript" } },
                module: { type: "commonjs" },
            },
        ],
    },
};

/** One project a room; `cluster`, `watching`, `switching` and `lifecycle` are selected by their own commands only. */
const project = (displayName, ...folders) => ({
    ...base,
    displayName,
    testMatch: folders.map((folder) => `<rootDir>/${folder}/**/*.test.ts`),
});

export default {
    projects: [
        project("contract", "contract/test"),
        project("app", "app/test"),
        project("program", "tests/components", "tests/stacks"),
        project("monitoring", "tests/monitoring"),
        project("local", "local/test"),
        project("deploy", "deploy/test"),
        project("load", "load/test"),
        project("release", "release/test"),
        project("policies", "policies/test", "tests/policies"),
        project("workflows", "tests/workflows"),
        project("cluster", "tests/cluster"),
        project("watching", "tests/watching"),
        project("switching", "tests/switching"),
        project("lifecycle", "tests/lifecycle"),
    ],
    reporters: ["default", "<rootDir>/tests/support/countsReporter.js"],
    testTimeout: 60_000,
    // What a failed test left open must not keep CI from saying so.
    forceExit: process.env.CI === "true",
};
