// What the Jest configs of the repository share.
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 9)) {
    // Jest's own errors about ES modules do not name the cause.
    throw new Error(`Node is ${process.version}; allowed: 24.9 or newer, which make test brings`);
}

// Tests see a copy of the environment, so the service cannot switch its native runtime's telemetry off.
process.env.ORT_DISABLE_TELEMETRY = "1";
// The make of a test is not part of the one that runs the tests, whose options it would take.
for (const name of ["MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"])
    Reflect.deleteProperty(process.env, name);
// One seed for the property tests of all workers; the reporter prints it.
process.env.PROPERTY_SEED ??= String(randomInt(2 ** 31));

const project = {
    rootDir: join(import.meta.dirname, "../.."),
    testEnvironment: "node",
    // The Pulumi SDK loads npm's resolver and TypeScript, for closures that no test serializes.
    moduleNameMapper: {
        "^@npmcli/arborist$|/typescript-shim$": "<rootDir>/tests/support/empty.js",
    },
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

/** Folders of each package's tests, by the name that `--selectProjects` takes. */
const FOLDERS = {
    contract: ["contract/test"],
    app: ["app/test"],
    program: ["tests/components", "tests/stacks"],
    monitoring: ["tests/monitoring"],
    local: ["local/test"],
    operations: ["operations/test"],
    policies: ["policies", "tests/policies"],
    bench: ["bench/test"],
    insights: ["insights/test"],
    example: ["examples/property-search/test"],
    workflows: ["tests/workflows"],
    repository: ["tests/repository"],
    support: ["tests/support"],
};

/** A Jest config of projects, each with the folders that hold its tests. */
export function projects(folders, { only, ...options }) {
    return {
        projects: Object.entries(folders).map(([displayName, paths]) => ({
            ...project,
            ...options,
            setupFiles: ["<rootDir>/tests/support/quickTraces.js", ...(options.setupFiles ?? [])],
            displayName,
            testMatch: paths.map(only),
        })),
        reporters: ["default", "<rootDir>/tests/support/countsReporter.js"],
        // Of a test that hangs: a busy machine gets the time that it needs.
        testTimeout: 240_000,
        // One more than cores: part of the tests waits, for Redis, a retry or a deadline.
        maxWorkers: availableParallelism() + 1,
        // What a failed test left open must not keep CI from saying so.
        forceExit: process.env.CI === "true",
    };
}

/** A Jest config for the packages' own tests. */
export function packages(options) {
    return projects(FOLDERS, options);
}
