import path from "node:path";
import type { Json } from "../../../policies/kubernetes/object.ts";
import { installOnce } from "../../shared/install.ts";
import { runOrThrow, runToEnd } from "../../shared/runToEnd.ts";
import { BenchError } from "../../shared/benchError.ts";
import type { Checker, Peer, Report } from "../peer.ts";

const VERSION = "1.20.0";
const SOURCE = path.resolve(import.meta.dirname, "../kube-score");
const PACKAGE = "github.com/zegl/kube-score/cmd/kube-score";
/** The cluster's version; the default is that of 2020. */
const KUBERNETES = "v1.34";

export const kubeScore = peer("kube-score", []);
export const kubeScoreOptional = peer("kube-score, all checks", ["--all-default-optional"]);

interface Scored {
    readonly object_name: string;
    readonly checks: readonly {
        readonly check: { readonly id: string };
        readonly grade: number;
        readonly skipped: boolean;
        readonly comments: readonly { readonly path: string; readonly summary: string }[] | null;
    }[];
}
/** https://github.com/zegl/kube-score/blob/master/scorecard/scorecard.go: 1 critical, 5 warning, 7 nearly, 10 well. */
const [CRITICAL, WELL] = [1, 10];
const NO_COMMENT = { path: "", summary: "" };

function peer(name: string, flags: readonly string[]): Peer {
    return {
        name,
        start: async (showProgress): Promise<Checker> => {
            showProgress(`kube-score ${VERSION}: builds from its Go module`);
            const folder = await installOnce(`kube-score-${VERSION}`, (target) =>
                runOrThrow("go", ["build", "-o", path.join(target, "kube-score"), PACKAGE], {
                    cwd: SOURCE,
                }),
            );
            const program = path.join(folder, "kube-score");
            const score = ["score", "--kubernetes-version", KUBERNETES, ...flags];
            const { stdout } = await runToEnd(program, ["list"]);
            const lines = stdout.split("\n");
            return {
                version: VERSION,
                rules: lines.filter((line) => flags.length > 0 || !line.endsWith("optional"))
                    .length,
                check: async (objects) => {
                    const args = [...score, "--output-format", "json", "-"];
                    return reportsOf(await outputOf(program, args, objects));
                },
                command: (file) => [program, ...score, file],
                close: () => undefined,
            };
        },
    };
}

/** It exits with 1 both for critical reports and for unreadable input. */
async function outputOf(program: string, args: readonly string[], objects: readonly Json[]) {
    const input = objects.map((one) => `---\n${JSON.stringify(one)}\n`).join("");
    const finished = await runToEnd(program, args, { input });
    if (finished.status === 0 || finished.status === 1) return finished;
    throw new BenchError(`kube-score: ${finished.stderr}`);
}

function reportsOf({ stdout, stderr }: { stdout: string; stderr: string }): Report[] {
    if (stdout === "") return [{ rule: "unreadable", at: stderr.slice(0, 200), fails: true }];
    const objects = JSON.parse(stdout) as readonly Scored[] | null;
    return (objects ?? []).flatMap(({ object_name: object, checks }) =>
        checks
            .filter(({ grade, skipped }) => !skipped && grade < WELL)
            .flatMap(({ check, grade, comments }) =>
                (comments?.length ? comments : [NO_COMMENT]).map(({ path: place, summary }) => ({
                    rule: check.id,
                    at: `${object} ${place} ${summary}`,
                    fails: grade === CRITICAL,
                })),
            ),
    );
}
