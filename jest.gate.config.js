import integration from "./jest.integration.config.js";
import unit from "./jest.config.js";

/** What `make test` runs: unit and integration tests, spread over all cores. */
export default { ...unit, projects: [...unit.projects, ...integration.projects] };
