import { EXAMPLE_TENANT, parseTenants, TenantsError } from "@property-search/contract";
import {
    integer,
    oneOf,
    pattern,
    PROXY,
    setting,
    text,
    token,
} from "@property-search/contract/settings";
import { DEFAULT_SERVICE } from "../../components/embeddingService.ts";
import { CPUS, MEMORY } from "../allowed.ts";
import { GENERATED, is, isNot, usedIf } from "./row.ts";

const RATE = {
    ...pattern(/^(?=.*[1-9])(0|[1-9]\d{0,5})(\.\d{1,3})?$/, "a number above 0 such as 60 or 7.5"),
    parse: Number,
};

const TENANTS_WORDS = "a JSON list of tenants, as docs/service/tenants.md has it";
const TENANTS = {
    ...text((value) => tenantsErrors(value).length === 0, TENANTS_WORDS),
    errors: tenantsErrors,
};
const OWN_TENANTS: readonly string[] = ["platform", EXAMPLE_TENANT];
/** A Secret holds no more than 1 MiB, in base64. */
const MOST_CHARACTERS = 500_000;

const RESOURCES = DEFAULT_SERVICE.resources;

export const SERVICE = {
    "service.minReplicas": setting(integer(2, 10), DEFAULT_SERVICE.minReplicas)`
        Minimum number of pods of each colour, for the autoscaler.`,
    "service.maxReplicas": setting(integer(2, 10), DEFAULT_SERVICE.maxReplicas)`
        Maximum number of pods of each colour, for the autoscaler; at least service.minReplicas.`,
    "service.cpuRequest": setting(CPUS, RESOURCES.cpuRequest)`
        CPU request of each pod.`,
    "service.cpuLimit": setting(CPUS, RESOURCES.cpuLimit)`
        CPU limit of each pod; at least the request.`,
    "service.memoryRequest": setting(MEMORY, RESOURCES.memoryRequest)`
        Memory request of each pod.`,
    "service.memoryLimit": setting(MEMORY, RESOURCES.memoryLimit)`
        Memory limit of each pod; at least the request.`,
    "service.upstreamProxy": setting(PROXY, "", usedIf(["service.provider", is("openai")]))`
        URL of a forward proxy to the API and its fallbacks. Not set: none.`,
    "service.preStopSeconds": setting(integer(5, 60), DEFAULT_SERVICE.preStopSeconds)`
        How long a terminating pod keeps serving while gateways remove it from their endpoints.`,
    "tenants.list": setting(TENANTS, "[]")`
        Tenants as a JSON list, each with id, keys (SHA-256 hashes of API keys, as printed by \`make tenant-key\`) and
        optionally pool and limits; docs/service/tenants.md has an example.`,
    "tenants.platformKey": setting(token(16, "a key"), "", GENERATED)`
        API key of the tenant "platform". Generated on the stack's first deploy.`,
    "autoscaling.metric": setting(oneOf("keda", "prometheus-adapter", "none"), "keda")`
        Source of the autoscaler's miss-rate metric; none: it scales on CPU only. KEDA and prometheus-adapter are not
        part of the stack; docs/scaling.md lists what they need.`,
    "autoscaling.missesPerSecondPerPod": setting(
        RATE,
        "",
        usedIf(["autoscaling.metric", isNot("none")]),
    )`
        Target cache misses per second and pod. Not set: what a pod with the local model sustains on service.cpuRequest,
        with headroom. Required when service.provider is openai, unless autoscaling.metric is none.`,
    "autoscaling.cpuPercent": setting(integer(10, 100), 70)`
        Target mean CPU utilization, in percent of the request.`,
    "autoscaling.memoryPercent": setting(integer(50, 100), "")`
        Target mean memory utilization, in percent of the request. Not set: memory is not a target. A cache fills its
        memory and keeps it, so pods that this target adds are not removed again.`,
    "autoscaling.scaleUpStabilizationSeconds": setting(integer(0, 600), 60)`
        Scale-up stabilization window.`,
};

function tenantsErrors(list: string): readonly string[] {
    return problemsOf(list).map(
        (problem) =>
            `is wrong: ${problem}${problem.includes("allowed: ") ? "" : `; allowed: ${TENANTS_WORDS}`}`,
    );
}

function problemsOf(list: string): readonly string[] {
    if (list.length > MOST_CHARACTERS) {
        return [`it has ${list.length} characters; allowed: ${MOST_CHARACTERS}`];
    }
    try {
        const tenants: unknown = JSON.parse(list);
        const listed = parseTenants(JSON.stringify({ tenants }));
        const ours = listed.find(({ id }) => OWN_TENANTS.includes(id));
        return ours ? [`it lists ${ours.id}, which is a tenant of the stack's own`] : [];
    } catch (error) {
        if (error instanceof SyntaxError) return ["it is not JSON"];
        return error instanceof TenantsError ? error.errors : [String(error)];
    }
}
