import {
    formatBytes,
    invalidValue,
    KNOWN_MODELS,
    runCommand,
    UserError,
} from "@property-search/contract";
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

const PRECISIONS = Object.keys(BYTES_PER_NUMBER);
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
        `Pods       ${plan.pods} a colour at the peak: ${podsOf(plan, workload)}`,
        `Memory     ${number(plan.podMemoryMebibytes)} MiB a pod at most: service.memoryLimit`,
        `Network    ${megabytes(plan.responseBytesPerSecond)} to clients, ${megabytes(plan.redisBytesPerSecond)} from Redis at most`,
        `Upstream   ${number(plan.missesPerSecond)} misses/s at the peak`,
        moneyLine("By token  ", tokenPrice, plan.byToken),
        moneyLine("By request", `$${workload.dollarsPerRequest} a request`, plan.byRequest),
    ].join("\n");
}

function podsOf({ podsForHits, podsForMisses }: Capacity, { minReplicas }: Workload): string {
    const least = `service.minReplicas (${minReplicas})`;
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

/** What `make capacity` sets a flag by; the user may have typed either. */
const VARIABLES: Readonly<Record<string, string>> = {
    "--texts": "TEXTS",
    "--requests-per-second": "REQUESTS",
    "--hit-rate": "HIT_RATE",
    "--model": "MODEL",
};

/** @param problems gets what is wrong with the value: all are reported together */
function parser<T>(
    flag: string,
    problems: string[],
    parse: (text: string) => T | undefined,
    allowed: string,
) {
    return (text: string): T | undefined => {
        const value = parse(text);
        const variable = VARIABLES[flag];
        const name = variable === undefined ? flag : `${variable} (${flag})`;
        if (value === undefined) problems.push(invalidValue(name, text, allowed).message);
        return value;
    };
}

function readAmount(text: string, least: number, most: number): number | undefined {
    const value = Number(text);
    return /^\d+(\.\d+)?$/.test(text) && value >= least && value <= most ? value : undefined;
}

const oneOf = (names: readonly string[]) => (text: string) => names.find((name) => name === text);

const DOLLARS = 1e7;
/** Numbers of a workload: flag, description, bounds. */
const AMOUNTS = [
    ["--texts", "different texts within the lifetime of an entry", 1, 1e12],
    ["--requests-per-second", "mean requests per second, of one text each", 0, 1e7],
    ["--peak", "peak as a multiple of the mean", 1, 100],
    ["--hit-rate", "share of requests that reach no upstream", 0, 1],
    ["--tokens-per-text", "mean tokens of a text", 1, 8_192],
    ["--redis-primaries", "1: standalone; 3: a Redis Cluster of the stack", 1, 1_000],
    ["--min-replicas", "service.minReplicas", 1, 1_000],
    ["--dollars-per-million-tokens", "price by token", 0, DOLLARS],
    ["--dollars-per-request", "flat price of a request", 0, DOLLARS],
    ["--pod-dollars-per-hour", "cost of a pod", 0, DOLLARS],
    ["--storage-dollars-per-hour", "cost of Redis and shared components", 0, DOLLARS],
] as const;

const CPU_REQUEST = SETTINGS["service.cpuRequest"];
/** Amounts that have no fractions. */
const WHOLE: readonly string[] = ["--redis-primaries", "--min-replicas"];

/** Options of a workload: flag, description, parser, allowed values. */
const WORDS = [
    ["--model", "model", oneOf(MODELS), MODELS.join(", ")],
    ["--precision", "service.cachePrecision", oneOf(PRECISIONS), PRECISIONS.join(", ")],
    [
        "--cpu-request",
        "service.cpuRequest",
        (text: string) => (CPU_REQUEST.fits(text) ? text : undefined),
        CPU_REQUEST.words,
    ],
] as const;

/** @returns reads the workload that a command line describes; throws a UserError with all wrong values */
function readWorkload(program: Command): () => Workload {
    const problems: string[] = [];
    const add = (
        flag: string,
        value: string,
        description: string,
        read: (text: string) => unknown,
    ) => {
        const option = new Option(`${flag} <${value}>`, description);
        const byDefault = DEFAULT_WORKLOAD[option.attributeName() as keyof Workload];
        program.addOption(option.argParser(read).default(byDefault));
    };
    for (const [flag, description, least, most] of AMOUNTS) {
        const isWhole = WHOLE.includes(flag);
        const allowed = `a ${isWhole ? "whole " : ""}number from ${least} to ${most}`;
        const read = (text: string) => {
            const value = readAmount(text, least, most);
            return isWhole && !Number.isInteger(value) ? undefined : value;
        };
        add(flag, "number", description, parser(flag, problems, read, allowed));
    }
    for (const [flag, description, read, allowed] of WORDS) {
        add(flag, "name", description, parser(flag, problems, read, allowed));
    }
    program.option("--is-float", "clients ask for floats in place of base64", false);
    return () => {
        if (problems.length > 0) throw new UserError(problems.join("\n"));
        return program.opts<Workload>();
    };
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
