import { packages } from "./tests/support/jest.js";

/** Tests with real Redis, Prometheus, Alertmanager and the model, on this machine. */
export default packages({
    only: (folder) => `<rootDir>/${folder}/**/*.integration.test.ts`,
    setupFiles: ["<rootDir>/tests/support/allowPrograms.js"],
});
