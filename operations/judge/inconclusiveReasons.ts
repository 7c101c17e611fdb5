import { COLOURS } from "@property-search/contract";
import type { Roles } from "./comparisons.ts";
import type { Limits } from "./limits.ts";
import { STALE_SECONDS, type ColourSample, type Observation } from "./observation.ts";
import { evidenceBelow } from "./sequential.ts";
import { count, percent, shareText } from "./text.ts";

/** @returns why nothing passes yet: missing, insufficient or bad data */
export function inconclusiveReasons(
    { colours, gaps }: Observation,
    { candidate }: Roles,
    limits: Limits,
): readonly string[] {
    const own = colours[candidate];
    return [
        ...gaps,
        ...COLOURS.flatMap((colour) => scrapeReasons(colour, colours[colour])),
        ...candidateScrapeReasons(candidate, own),
        ...requestReasons(candidate, own, limits),
        ...podReasons(candidate, own),
    ];
}

/** One pod of the active colour is enough for the comparison. */
function scrapeReasons(colour: string, { scrapeHealth }: ColourSample): readonly string[] {
    if (!scrapeHealth) return [`${colour}: Prometheus scrapes none of its pods`];
    const { answering, ageSeconds } = scrapeHealth;
    if (ageSeconds > STALE_SECONDS) {
        return [
            `${colour}: last scraped ${Math.round(ageSeconds)} s ago; allowed: ${STALE_SECONDS} s`,
        ];
    }
    return answering === 0 ? [`${colour}: none of its pods answers Prometheus`] : [];
}

/** Every pod of the candidate must be scraped: the missing one may have the errors. */
function candidateScrapeReasons(
    candidate: string,
    { scrapeHealth, pods, requests, gatewayRequests }: ColourSample,
): readonly string[] {
    const reasons: string[] = [];
    if (scrapeHealth && scrapeHealth.answering > 0 && scrapeHealth.answering < scrapeHealth.pods) {
        reasons.push(
            `${candidate}: ${scrapeHealth.answering} of ${scrapeHealth.pods} pods answer Prometheus; allowed: all`,
        );
    }
    if (scrapeHealth && pods && pods.ready > scrapeHealth.pods) {
        reasons.push(
            `${candidate}: ${pods.ready} pods are ready and ${scrapeHealth.pods} scraped; allowed: all`,
        );
    }
    if (gatewayRequests?.total === 0 && requests.total > 0) {
        reasons.push(
            `gateway: counted none of ${candidate}'s ${count(requests.total)} requests; ` +
                `its backends may have other names than promql.ts expects`,
        );
    }
    return reasons;
}

/** Few requests prove nothing: with 1 % errors, none of 100 requests fails in a third of all cases. */
function requestReasons(
    candidate: string,
    { requests }: ColourSample,
    { minimumRequests, errors, falsePass }: Limits,
): readonly string[] {
    if (requests.total < minimumRequests) {
        return [`requests: ${candidate} ${count(requests.total)} of ${count(minimumRequests)}`];
    }
    if (evidenceBelow(requests, errors.limit) >= -Math.log(falsePass)) return [];
    return [
        `errors: ${candidate} ${shareText(requests)}, not yet shown to be under ${percent(errors.limit)}`,
    ];
}

function podReasons(
    candidate: string,
    { restarts, pods, memory }: ColourSample,
): readonly string[] {
    const unknown = Object.entries({ restarts, pods, memory })
        .filter(([, figure]) => figure === undefined)
        .map(([name]) => `${name}: unknown for ${candidate}`);
    if (!pods || pods.missing === 0) return unknown;
    const { ready, desired, missing } = pods;
    return [...unknown, `pods: ${candidate} ${ready} of ${desired} ready, ${missing} missing`];
}
