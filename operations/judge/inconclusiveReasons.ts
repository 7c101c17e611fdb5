import { COLOURS } from "@property-search/contract";
import type { Roles } from "./comparisons.ts";
import type { Limits } from "./limits.ts";
import { STALE_SECONDS, type ColourSample, type Observation } from "./observation.ts";
import { evidenceBelow } from "./sequential.ts";
import { count, percent, shareText } from "./text.ts";

/** @returns why nothing passes yet: missing, insufficient or bad data */
export function doubts(
    { colours, gaps }: Observation,
    { candidate }: Roles,
    limits: Limits,
): readonly string[] {
    const own = colours[candidate];
    return [
        ...gaps,
        ...COLOURS.flatMap((colour) => scrapeDoubts(colour, colours[colour])),
        ...candidateScrapeDoubts(candidate, own),
        ...sampleDoubts(candidate, own, limits),
        ...podDoubts(candidate, own),
    ];
}

/** One pod of the active colour is enough for the comparison. */
function scrapeDoubts(colour: string, { scraped }: ColourSample): readonly string[] {
    if (!scraped) return [`${colour}: Prometheus scrapes none of its pods`];
    const { answering, secondsAgo } = scraped;
    if (secondsAgo > STALE_SECONDS) {
        return [
            `${colour}: last scraped ${Math.round(secondsAgo)} s ago; allowed: ${STALE_SECONDS} s`,
        ];
    }
    return answering === 0 ? [`${colour}: none of its pods answers Prometheus`] : [];
}

/** Every pod of the candidate must be scraped: the missing one may have the errors. */
function candidateScrapeDoubts(
    candidate: string,
    { scraped, pods, requests, atGateway }: ColourSample,
): readonly string[] {
    const doubts: string[] = [];
    if (scraped && scraped.answering > 0 && scraped.answering < scraped.pods) {
        doubts.push(
            `${candidate}: ${scraped.answering} of ${scraped.pods} pods answer Prometheus; allowed: all`,
        );
    }
    if (scraped && pods && pods.ready > scraped.pods) {
        doubts.push(
            `${candidate}: ${pods.ready} pods are ready and ${scraped.pods} scraped; allowed: all`,
        );
    }
    if (atGateway?.of === 0 && requests.of > 0) {
        doubts.push(
            `gateway: counted none of ${candidate}'s ${count(requests.of)} requests; ` +
                `its backends may have other names than promql.ts expects`,
        );
    }
    return doubts;
}

/** Few requests prove nothing: with 1 % errors, none of 100 requests fails in a third of all cases. */
function sampleDoubts(
    candidate: string,
    { requests }: ColourSample,
    { minimumRequests, errors, falsePass }: Limits,
): readonly string[] {
    if (requests.of < minimumRequests) {
        return [`requests: ${candidate} ${count(requests.of)} of ${count(minimumRequests)}`];
    }
    if (evidenceBelow(requests, errors.limit) >= -Math.log(falsePass)) return [];
    return [
        `errors: ${candidate} ${shareText(requests)}, not yet shown to be under ${percent(errors.limit)}`,
    ];
}

function podDoubts(candidate: string, { restarts, pods, memory }: ColourSample): readonly string[] {
    const unknown = Object.entries({ restarts, pods, memory })
        .filter(([, seen]) => seen === undefined)
        .map(([name]) => `${name}: unknown for ${candidate}`);
    if (!pods || pods.missing === 0) return unknown;
    const { ready, wanted, missing } = pods;
    return [...unknown, `pods: ${candidate} ${ready} of ${wanted} ready, ${missing} missing`];
}
