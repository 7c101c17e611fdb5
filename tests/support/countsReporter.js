import { appendFileSync } from "node:fs";
import path from "node:path";

/**
 * Jest reporter: ends a run with the plain line `N passed, N failed` that CI reads. It adds the names of
 * failed tests and the same counts to the file COUNTS_FILE, so that several runs can be summed up.
 */
export default class CountsReporter {
    onRunComplete(_contexts, results) {
        // A file that does not even load has no tests of its own to count: it counts as one failure.
        const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
        const skipped = results.numPendingTests + results.numTodoTests;
        const counts = `${results.numPassedTests} passed, ${failed} failed`;
        const line = skipped > 0 ? `${counts}, ${skipped} skipped` : counts;
        const { PROPERTY_SEED: seed, COUNTS_FILE: file } = process.env;
        process.stdout.write(`\nproperty tests: PROPERTY_SEED=${seed} repeats them\n${line}\n`);
        if (file) appendFileSync(file, [...namesOfFailed(results), line, ""].join("\n"));
    }
}

function namesOfFailed({ testResults }) {
    return testResults.flatMap(({ testFilePath, testExecError, testResults: tests }) => {
        const file = path.relative(process.cwd(), testFilePath);
        const names = tests.filter(({ status }) => status === "failed");
        return [
            ...(testExecError ? [`failed: ${file} does not load`] : []),
            ...names.map(({ fullName }) => `failed: ${file}: ${fullName.replaceAll(/\s+/g, " ")}`),
        ];
    });
}
