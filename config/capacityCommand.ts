import { formatBytes, KNOWN_MODELS, runCommand, UserError } from "@property-search/contract";
import { SERVICE_SETTINGS } from "@property-search/contract/settings";
import { Command, Option } from "commander";
import {
    BYTES_PER_NUMBER,
    DEFAULT_WORKLOAD,
    planCapacity,
    type Capacity,
    type Money,
    type Workload,
} from "./capacity.ts";
import { SETTINGS } from "./settings/index.ts";

const MODELS = [SERVICE_SETTINGS.model.default, ...Object.keys(KNOWN_MODELS)];

/** @returns lines of what a workload takes and earns, with the arithmetic of each */
function capacityReport(workload: Workload): string {
    const plan = planCapacity(workload);
    const number = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 1 });
    const megabytes = (bytes: number) => `${number(bytes / 1e6)} MB/s`;
    const { redisPrimaries, requestsPerSecond, peak, tokensPerText } = workload;
    const tokenPrice = `${number(tokensPerText)} tokens a text and $${workload.dollarsPerMillionTokens} a million`;
    return [
        `Workload   ${number(workload.texts)} texts, ${number(requestsPerSecond)} requests/s (peak × ${number(peak)}), ` +
            `${number(workload.hitRate * 100)} % hits, ${workload.model}`,
        `Entry      ${number(plan.bytesPerEntry)} bytes: ${plan.dimensions} numbers as ${workload.precision}`,
        `Redis      ${number(plan.redisBytes / 1e9)} GB; redis.memoryLimit ${formatBytes(plan.redisMemoryLimitBytes)} ` +
            `for ${redisPrimaries === 1 ? "one server" : `each of ${redisPrimaries} primaries, the same for replicas`}`,
        `Pods       ${plan.pods} a colour at the peak: ${podsOf(plan)}`,
        `Memory     ${number(plan.podMemoryMebibytes)} MiB a pod at most: service.memoryLimit`,
        `Network    ${megabytes(plan.responseBytesPerSecond)} to clients, ${megabytes(plan.redisBytesPerSecond)} from Redis at most`,
        `Upstream   ${number(plan.missesPerSecond)} misses/s at the peak`,
        moneyLine("By token  ", tokenPrice, plan.byToken),
        moneyLine("By request", `$${workload.dollarsPerRequest} a request`, plan.byRequest),
    ].join("\n");
}

function podsOf({ podsForHits, podsForMisses }: Capacity): string {
    const least = `service.minReplicas (${SETTINGS["service.minReplicas"].default})`;
    return podsForMisses === undefined
        ? `the larger of ${podsForHits} for hits and ${least}\n           misses wait for the API (autoscaling.missesPerSecondPerPod)`
        : `the largest of ${podsForHits} for hits, ${podsForMisses} for misses and ${least}`;
}

function moneyLine(name: string, price: string, money: Money): string {
    const { withoutCache, billed, saved, overhead, net } = money;
    const dollars = (value: number) =>
        `${value < 0 ? "-" : ""}$${Math.abs(value).toLocaleString("en", { maximumFractionDigits: 0 })}`;
    return (
        `${name} ${dollars(withoutCache)} a month without the cache, at ${price}\n` +
        `           billed ${dollars(billed)}, saved ${dollars(saved)}, pods and Redis ${dollars(overhead)}, net ${dollars(net)}`
    );
}

function amount(flag: string, least: number, most: number) {
    return (text: string): number => {
        const value = Number(text);
        if (/^\d+(\.\d+)?$/.test(text) && value >= least && value <= most) return value;
        throw new UserError(`${flag} is "${text}"; allowed: a number from ${least} to ${most}`);
    };
}

const DOLLARS = 1e7;
/** Numbers of a workload: flag, description, bounds. */
const AMOUNTS = [
    ["--texts", "different texts within the lifetime of an entry", 1, 1e12],
    ["--requests-per-second", "mean requests per second, of one text each", 0, 1e7],
    ["--peak", "peak as a multiple of the mean", 1, 100],
    ["--hit-rate", "share of requests that reach no upstream", 0, 1],
    ["--tokens-per-text", "mean tokens of a text", 1, 8_192],
    ["--redis-primaries", "1: standalone; 3: a Redis Cluster of the stack", 1, 1_000],
    ["--dollars-per-million-tokens", "price by token", 0, DOLLARS],
    ["--dollars-per-request", "flat price of a request", 0, DOLLARS],
    ["--pod-dollars-per-hour", "cost of a pod", 0, DOLLARS],
    ["--storage-dollars-per-hour", "cost of Redis and what is shared", 0, DOLLARS],
] as const;

/** @returns the workload that a command line describes */
function readWorkload(program: Command): () => Workload {
    for (const [flag, description, least, most] of AMOUNTS) {
        const option = new Option(`${flag} <number>`, description);
        const value = DEFAULT_WORKLOAD[option.attributeName() as keyof Workload];
        program.addOption(option.argParser(amount(flag, least, most)).default(value));
    }
    const { model, precision } = DEFAULT_WORKLOAD;
    program
        .addOption(new Option("--model <name>", "model").choices(MODELS).default(model))
        .addOption(
            new Option("--precision <name>", "service.cachePrecision")
                .choices(Object.keys(BYTES_PER_NUMBER))
                .default(precision),
        )
        .option("--is-float", "clients ask for floats in place of base64", false);
    return () => program.opts<Workload>();
}

if (import.meta.main) {
    const program = new Command("capacity").description(
        "Plans capacity and cost (docs/capacity.md)",
    );
    const workload = readWorkload(program);
    program.action(() => {
        console.log(capacityReport(workload()));
    });
    await runCommand(program);
}
