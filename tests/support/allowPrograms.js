// Set-up of the tests that start programs: in a worker that has run unit tests, their guard is lifted.
import childProcess from "node:child_process";

const guard = childProcess[Symbol.for("property-search.harmless")];
if (guard) guard.active = false;
