import { runCommand, UserError } from "@property-search/contract";
import { Command } from "commander";
import path from "node:path";

import { connect } from "../../operations/cluster/connect.ts";
import { clusterId } from "../../operations/deploy/binding.ts";
import { lockCluster } from "../../operations/rehearse/clusterLock.ts";
import { localKubeconfig } from "../../operations/stack/localCluster.ts";
import { userStateFolder } from "../../operations/stack/stateFolder.ts";
import { findLoadTarget } from "../load/target.ts";
import { createProcesses } from "../service/processes/processes.ts";
import { abortOnInterrupt, createReporter, INTERRUPTED, parseSome } from "../shared/commandLine.ts";
import { commitId, describeMachine } from "../shared/machine.ts";
import {
    describeOrigin,
    exitCodeOf,
    SCHEMA,
    STEPS,
    tabulate,
    type Evidence,
    type StepName,
} from "./criteria.ts";
import { tabulateRehearsals } from "./rehearsals.ts";
import type { Platform, Step, StepContext } from "./step.ts";
import { day } from "./steps/day.ts";
import { disruption } from "./steps/disruption.ts";
import { documents } from "./steps/documents.ts";
import { platform } from "./steps/platform.ts";
import { scaling } from "./steps/scaling.ts";
import { users } from "./steps/users.ts";
import { createStore, type Store, type Subject } from "./store.ts";
import { formatTable, renderHtml, renderMarkdown, summarise, type Table } from "./table.ts";

interface AcceptFlags {
    readonly quick: boolean;
    readonly fresh: boolean;
    readonly out?: string;
    readonly only: readonly StepName[];
}

/** In their order: load adds pods, and the autoscaler must have some left to add. */
const ALL: readonly Step[] = [day, scaling, users, disruption, platform, documents];
/** Gives the cluster back that findPlatform took. */
let release = (): Promise<void> => Promise.resolve();

const program = new Command("accept")
    .description(
        "Measures every success criterion on this machine and the cluster of make up, and prints the table.\n" +
            "Exit code: 0 all met, 1 one is not, 3 something was not measured, 130 interrupted (run again to resume).",
    )
    .option(
        "--quick",
        "one and two minutes of load instead of three and ten; the evidence says so",
        false,
    )
    .option("--fresh", "measure again what was measured before", false)
    .option("--only <steps>", `some of ${STEPS.join(",")}`, parseSome("ONLY", STEPS), STEPS)
    .option("--out <folder>", "folder of evidence; default: the user's state folder")
    .action(accept);

await runCommand(program);
// Processes that are still running would keep this one alive.
process.exit();

async function accept({ quick, fresh, out, only }: AcceptFlags): Promise<void> {
    const folder = path.resolve(out ?? path.join(userStateFolder(), "acceptance"));
    const commit = await commitId();
    const subject: Subject = { commit, quick, cluster: await readClusterId() };
    const store = createStore(folder, subject);
    const signal = abortOnInterrupt(
        new UserError("interrupted; run the same command again to resume"),
    );
    const processes = createProcesses();
    const { clear, report, showProgress } = createReporter();
    const context: StepContext = {
        quick,
        findPlatform: lazy(findPlatform),
        processes,
        report: (line) => report(`  ${line}`),
        showProgress,
        signal,
        writeText: store.writeText,
    };
    try {
        for (const step of ALL.filter(({ name }) => only.includes(name)))
            await runStep(step, context, store, subject, fresh);
        clear();
        const rows = writeTable(store, subject);
        process.exitCode = exitCodeOf(rows);
    } finally {
        processes.killAll();
        await release();
        if (signal.aborted) {
            writeTable(store, subject);
            process.exitCode = INTERRUPTED;
        }
    }
}

async function runStep(
    { name, title, minutes, run }: Step,
    context: StepContext,
    store: Store,
    subject: Subject,
    fresh: boolean,
): Promise<void> {
    const { quick, signal, report } = context;
    if (!fresh && store.readUsable(name)) {
        console.error(`${name}: measured before (FRESH=1 repeats it)`);
        return;
    }
    console.error(`${name}: ${title}, about ${minutes[quick ? 0 : 1]} min`);
    const begun = new Date();
    const create = (rest: Pick<Evidence, "findings" | "data" | "failure">): Evidence => ({
        ...{ schema: SCHEMA, step: name, ...subject, begun: begun.toISOString() },
        ...{ seconds: Math.round((Date.now() - begun.getTime()) / 100) / 10, ...rest },
    });
    try {
        store.write(create(await run(context)));
    } catch (error) {
        signal.throwIfAborted();
        // The other criteria do not depend on it.
        const failure = error instanceof Error ? error.message : String(error);
        report(`not measured: ${failure}`);
        store.write(create({ findings: {}, data: undefined, failure }));
    }
}

function writeTable(store: Store, subject: Subject) {
    const { commit, quick } = subject;
    const evidence = store.readAll();
    const rows = tabulate(evidence, store.isCurrent);
    const rehearsals = tabulateRehearsals(path.join(userStateFolder(), "rehearsals"), subject);
    const machine = describeMachine();
    const others = [...evidence.values()].filter((one) => !store.isCurrent(one));
    const table: Table = {
        title: `Acceptance: ${summarise(rows)}`,
        subtitle:
            `${new Date().toISOString().slice(0, 16)}Z, commit ${commit}, ${machine.cores} × ${machine.processor}, ` +
            `${machine.memoryGiB} GiB, everything on one machine${quick ? "; QUICK=1: one and two minutes of load instead of three and ten" : ""}`,
        rows,
        rehearsals,
        notes: [
            ...others.map((one) => `${one.step}: ${describeOrigin(one)}, which does not count`),
            "S1 to S13 are rows of the product's requirements.",
            `Evidence: ${store.folder}`,
        ],
    };
    store.writeText("acceptance.md", renderMarkdown(table));
    store.writeText("acceptance.html", renderHtml(table));
    store.writeText(
        "acceptance.json",
        `${JSON.stringify({ commit, quick, machine, rows, rehearsals }, undefined, 2)}\n`,
    );
    console.log(formatTable(table));
    return rows;
}

/** Identity of the cluster of make up; undefined: there is none that answers. */
async function readClusterId(): Promise<string | undefined> {
    const kubeconfig = localKubeconfig();
    if (kubeconfig === undefined) return undefined;
    return clusterId(connect(kubeconfig)).catch(() => undefined);
}

/** @throws UserError while a rehearsal or an exercise disturbs the cluster, whose effects would be measured */
async function findPlatform(): Promise<Platform> {
    const absent = new UserError("there is no cluster of make up; run make up first");
    if (localKubeconfig() === undefined) throw absent;
    const target = await findLoadTarget(undefined, console.error);
    const { cluster } = target;
    if (!cluster) throw absent;
    release = await lockCluster(await clusterId(cluster), "make accept");
    return { cluster, target };
}

function lazy<T>(create: () => Promise<T>): () => Promise<T> {
    let created: Promise<T> | undefined;
    return () => (created ??= create());
}
