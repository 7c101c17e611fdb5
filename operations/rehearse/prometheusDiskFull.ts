import type { V1StatefulSet } from "@kubernetes/client-node";
import { MONITORING_NAMES, NAMESPACES, UserError } from "@property-search/contract";
import type { Cluster } from "../cluster/connect.ts";
import { prometheusAccess } from "../cluster/prometheusAccess.ts";
import { readValue } from "../cluster/prometheusApi.ts";
import { disturb } from "./disturb.ts";
import { timeToDetect, withGoal } from "./evidence.ts";
import type { Rehearsal, RehearsalTarget } from "./rehearsal.ts";
import { readSet, referenceOf, waitForSet } from "./workloads.ts";

const PROMETHEUS = { namespace: NAMESPACES.monitoring, name: MONITORING_NAMES.prometheus };
const LIMIT_FLAG = "--storage.tsdb.retention.size=";
/** Replaying the write-ahead log takes the longest. */
const READY_SECONDS = 180;
const USED =
    "max(prometheus_tsdb_storage_blocks_bytes) + max(prometheus_tsdb_wal_storage_size_bytes) " +
    "+ max(prometheus_tsdb_head_chunks_storage_size_bytes)";
/** The alert fires above 1.1. */
const USED_TO_LIMIT = 2;
const MB = 1024 ** 2;
/** After its restart, the limit of the pod before is still a current value: nobody has marked its series as ended. */
const LOOKBACK_SECONDS = 300;

interface Saved {
    readonly limit: string;
}

/** Prometheus has more data than its volume is meant for. */
export const prometheusDiskFull: Rehearsal = {
    name: "prometheus-disk-full",
    purpose:
        "Prometheus' data exceeds its size limit: PrometheusVolumeFillingUp begins, and ends when the limit is raised.",
    precondition:
        "the stack runs its own Prometheus, which has no blocks yet or whose oldest blocks may be deleted (FORCE=1)",
    duration: { whole: 1400, quick: 440 },
    alerts: ["PrometheusVolumeFillingUp"],
    inapplicable: async ({ cluster }) => {
        if (!(await readSet(cluster, PROMETHEUS))) return "the stack has no Prometheus of its own";
        const get = await prometheusAccess(cluster);
        const blocks = await readValue(get, "max(prometheus_tsdb_blocks_loaded)");
        if (blocks === 0 || process.env.FORCE === "1") return undefined;
        return `Prometheus has ${blocks} blocks, the oldest of which would be deleted; FORCE=1 allows it`;
    },
    run: async (context) => {
        const { cluster } = context;
        const used = await readValue(await prometheusAccess(cluster), USED);
        const limit = limitOf(await readSet(cluster, PROMETHEUS));
        const fault = await context.beginFault({ limit } satisfies Saved);
        const small = `${Math.max(1, Math.floor(used / MB / USED_TO_LIMIT))}MB`;
        await context.step(`set Prometheus' size limit to ${small}, half of its data`, () =>
            setLimit(context, small),
        );
        await context.expectAlert("PrometheusVolumeFillingUp", LOOKBACK_SECONDS);
        const detected = (Date.now() - fault) / 1000;

        const repair = Date.now();
        await context.step(`raise the size limit to ${limit} again (monitoring.storage)`, () =>
            setLimit(context, limit),
        );
        await context.expectResolved(READY_SECONDS);

        context.measure("data of Prometheus", "MB", used / MB);
        context.figure(timeToDetect(context.quick, detected, { pending: 420, firing: 1380 }));
        context.figure(withGoal("time to recover", "s", (Date.now() - repair) / 1000, "<=", 150));
    },
    putBack: (target, { limit }: Saved) => setLimit(target, limit),
};

function limitOf(set: V1StatefulSet | undefined): string {
    const flag = argsOf(set).find((one) => one.startsWith(LIMIT_FLAG));
    if (flag === undefined) throw new UserError(`Prometheus has no argument ${LIMIT_FLAG}`);
    return flag.slice(LIMIT_FLAG.length);
}

function argsOf(set: V1StatefulSet | undefined): readonly string[] {
    return set?.spec?.template.spec?.containers[0]?.args ?? [];
}

/** Sets the limit, unless it is the same, and waits until Prometheus is ready. */
async function setLimit({ cluster, signal }: RehearsalTarget, limit: string): Promise<void> {
    if (limitOf(await readSet(cluster, PROMETHEUS)) !== limit) await writeLimit(cluster, limit);
    await waitForSet(cluster, PROMETHEUS, { seconds: READY_SECONDS, signal });
}

async function writeLimit(cluster: Cluster, limit: string): Promise<void> {
    await disturb<V1StatefulSet>(cluster, referenceOf(PROMETHEUS), (set) => {
        const container = set.spec?.template.spec?.containers[0];
        if (!container) throw new UserError("the StatefulSet of Prometheus has no container");
        container.args = argsOf(set).map((flag) =>
            flag.startsWith(LIMIT_FLAG) ? `${LIMIT_FLAG}${limit}` : flag,
        );
    });
}
