import { COLOURS } from "@property-search/contract";
import type { Roles } from "./comparisons.ts";
import type { Limits } from "./limits.ts";
import { STALE_SECONDS, type ColourSample, type Observation } from "./observation.ts";
import { evidenceBelow } from "./sequential.ts";
import { count, percent, shareText } from "./text.ts";

/** @returns why nothing passes yet: what is not seen, not enough, or not well */
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

/** Of the active colour one pod is enough to compare with. */
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

/** What a pod of the candidate has counted unseen may be all that is wrong with it. */
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
                `it may call its backends otherwise than promql.ts has it`,
        );
    }
    return doubts;
}

/** Of 100 requests none fails every third time where 1 % do: few errors of few requests prove nothing. */
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
        `errors: ${candidate} ${shareText(requests)}, not shown yet to be under ${percent(errors.limit)}`,
    ];
}

function podDoubts(candidate: string, { restarts, pods, memory }: ColourSample): readonly string[] {
    const unknown = Object.entries({ restarts, pods, memory })
        .filter(([, seen]) => seen === undefined)
        .map(([name]) => `${name}: not known of ${candidate}`);
    if (!pods || pods.missing === 0) return unknown;
    const { ready, wanted, missing } = pods;
    return [...unknown, `pods: ${candidate} ${ready} of ${wanted} ready, ${missing} missing`];
}
