import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Beside the benchmarks' results. */
const FOLDER = path.resolve(import.meta.dirname, "../../bench/results");

/** Keeps what a test has measured, as JSON, and shows it. */
export function writeEvidence(name: string, evidence: object): void {
    const text = JSON.stringify(evidence, undefined, 2);
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path.join(FOLDER, `cluster-${name}.json`), `${text}\n`);
    console.info(text);
}
