import { projects } from "./tests/support/jest.js";

const FOLDERS = {
    cluster: ["tests/cluster"],
    certificates: ["tests/certificates"],
    "cluster-slow": ["tests/cluster-slow"],
    switching: ["tests/switching"],
    lifecycle: ["tests/lifecycle"],
};

/** Tests that disturb a cluster: that of `make up`, or the one that CONTEXT names. */
export default {
    ...projects(FOLDERS, { only: (folder) => `<rootDir>/${folder}/**/*.test.ts` }),
    globalSetup: "<rootDir>/tests/support/testedCluster.ts",
};
