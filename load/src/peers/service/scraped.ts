import { scrape } from "../../bench/metrics.ts";
import type { Service } from "./service.ts";

/** A service whose metrics are read while it is measured, as a Prometheus would every so many seconds. */
export function scraped(service: Service, name: string, everySeconds: number): Service {
    return {
        ...service,
        name,
        start: async (ground) => {
            const contestant = await service.start(ground);
            return {
                ...contestant,
                meanwhile: () => {
                    const timer = setInterval(() => {
                        // A service that has ended is the generator's to notice.
                        scrape(contestant).catch(() => undefined);
                    }, everySeconds * 1000);
                    return () => {
                        clearInterval(timer);
                    };
                },
            };
        },
    };
}
