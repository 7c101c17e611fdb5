import { SCRAPE_INTERVAL } from "@property-search/contract";

import { closedLoop } from "../generators/wrk.ts";
import { scraped } from "../peers/service/scraped.ts";
import { ours } from "../peers/service/service.ts";
import { uncounted } from "../peers/service/uncounted.ts";
import { contest } from "./contest.ts";
import { atLeastTimes, noneFailed } from "./floors.ts";

/** Many times as often as Prometheus comes, so that each turn has some. */
const SCRAPE_SECONDS = 1;
const measured = scraped(ours, `scraped every ${SCRAPE_SECONDS} s`, SCRAPE_SECONDS);
const unscraped = { ...ours, name: "not scraped" };

/**
 * Hits, of which the service answers most, and so the ones that counting slows down most. Beside it the
 * same service without a metric: what it counts, and that it is asked, together.
 */
export const metricsCost = contest({
    id: "metrics-cost",
    title: `what metrics cost: hits, scraped every ${SCRAPE_SECONDS} s (Prometheus: ${SCRAPE_INTERVAL} s)`,
    workload: { dimensions: 1536, encoding: "base64", items: 1, bodies: 1_024 },
    connections: 64,
    generator: closedLoop,
    service: measured,
    peers: [uncounted, unscraped],
    seconds: 3,
    turns: 12,
    floors: [atLeastTimes(measured.name, uncounted.name, 0.97), noneFailed(measured.name)],
});
