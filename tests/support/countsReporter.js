import { appendFileSync } from "node:fs";

/**
 * Jest reporter: ends a run with the plain line `N passed, N failed` that CI reads, and adds the same
 * counts to the file COUNTS_FILE so that several runs can be summed up.
 */
export default class CountsReporter {
    onRunComplete(_contexts, results) {
        // A file that does not even load has no tests of its own to count: it counts as one failure.
        const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
        const skipped = results.numPendingTests + results.numTodoTests;
        const counts = `${results.numPassedTests} passed, ${failed} failed`;
        const line = skipped > 0 ? `${counts}, ${skipped} skipped` : counts;
        const { PROPERTY_SEED: seed } = process.env;
        process.stdout.write(`\nproperty tests: PROPERTY_SEED=${seed} repeats them\n${line}\n`);
        if (process.env.COUNTS_FILE) appendFileSync(process.env.COUNTS_FILE, `${line}\n`);
    }
}
