import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { runToEnd } from "../../shared/runToEnd.ts";
import { holds, type Finding } from "../criteria.ts";
import type { Step } from "../step.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
/** Tests of the pages, of the course, and of the commands in docs. */
export const CHECKS = ["tests/repository", "operations/test/training"];
/** Pages with figures of benchmarks, each of which names the command that measures them. */
const BENCHMARKS = [
    "docs/service/performance.md",
    "docs/semantic/evaluation.md",
    "docs/policies-peers.md",
    "docs/acceptance.md",
];
const EXERCISES = 5;

interface Tests {
    readonly passed: number;
    readonly failed: number;
    readonly failures: readonly string[];
}

export const documents: Step = {
    name: "documents",
    title: "documentation and training",
    minutes: [1, 1],
    run: async () => {
        const tests = await runChecks();
        const pages = find("docs/**/*.md");
        const files = {
            pages: pages.length,
            benchmarks: BENCHMARKS.filter((page) => pages.includes(page)),
            training: pages.filter((page) => page.startsWith("docs/training")),
            exercises: find("operations/training/*.ts").filter((file) =>
                readFileSync(path.join(ROOT, file), "utf8").includes(": Exercise = "),
            ),
        };
        return { findings: judgeDocuments(files, tests), data: { files, tests } };
    },
};

const find = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).sort();

async function runChecks(): Promise<Tests> {
    const folder = await mkdtemp(path.join(tmpdir(), "accept-documents-"));
    const file = path.join(folder, "tests.json");
    try {
        const args = ["run", "--silent", "jest", "--", "--config", "jest.gate.config.js"];
        const { stderr } = await runToEnd(
            "npm",
            [...args, "--json", "--outputFile", file, ...CHECKS],
            { cwd: ROOT },
        );
        const text = await readFile(file, "utf8").catch(() => {
            throw new Error(`the checks of the documentation did not run: ${stderr.slice(-500)}`);
        });
        const read = JSON.parse(text) as {
            numPassedTests: number;
            numFailedTests: number;
            numRuntimeErrorTestSuites: number;
            testResults: { assertionResults: { status: string; fullName: string }[] }[];
        };
        const results = read.testResults.flatMap(({ assertionResults }) => assertionResults);
        return {
            passed: read.numPassedTests,
            failed: read.numFailedTests + read.numRuntimeErrorTestSuites,
            failures: results
                .filter(({ status }) => status === "failed")
                .map(({ fullName }) => fullName),
        };
    } finally {
        await rm(folder, { recursive: true });
    }
}

export interface DocumentFiles {
    readonly pages: number;
    readonly benchmarks: readonly string[];
    readonly training: readonly string[];
    readonly exercises: readonly string[];
}

export function judgeDocuments(
    files: DocumentFiles,
    { passed, failed, failures }: Tests,
): Record<string, Finding> {
    const tests = `${passed} checks passed, ${failed} failed${failures.length > 0 ? ` (${failures.slice(0, 3).join("; ")})` : ""}`;
    const workload = `make accept runs ${CHECKS.join(" and ")}`;
    const areChecked = passed > 0 && failed === 0;
    const finding = (measured: string, isMet: boolean): Finding => ({
        measured,
        workload,
        verdict: holds(isMet),
    });
    const { pages, benchmarks, training, exercises } = files;
    const hasCourse = training.length > 0 && exercises.length >= EXERCISES;
    return {
        benchmarks: finding(
            `${benchmarks.join(", ")}; ${tests}`,
            benchmarks.length === BENCHMARKS.length && areChecked,
        ),
        documents: finding(`${pages} pages; ${tests}`, areChecked),
        training: finding(
            `${training.join(", ")}, ${exercises.length} exercises with checks (make training); ${tests}`,
            hasCourse && areChecked,
        ),
    };
}
