import { packages } from "./tests/support/jest.js";

/** Unit tests: no process beyond Node, no network, no install. `npm test` runs them. */
export default packages({
    only: (folder) => `<rootDir>/${folder}/**/!(*.integration|*.exhaustive).test.ts`,
    setupFiles: ["<rootDir>/tests/support/harmless.js"],
});
