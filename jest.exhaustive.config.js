import { packages } from "./tests/support/jest.js";

/** What is too much for every change: each mutant, third-party manifests, the Pulumi CLI. */
export default {
    ...packages({
        only: (folder) => `<rootDir>/${folder}/**/*.exhaustive.test.ts`,
        setupFiles: ["<rootDir>/tests/support/allowPrograms.js"],
    }),
    testTimeout: 300_000,
};
