import { add, negate } from "../analysis/totals.ts";
import type { Report } from "../analysis/report.ts";
import { read, type Figures } from "./figures.ts";
import type { Figure, Money } from "./view.ts";

export function moneyOf(figures: Figures): Money {
    const of = (name: string) => read(figures, name);
    return {
        saved: of("saved"),
        billedForCache: of("billedForCache"),
        pods: of("pods"),
        storage: of("storage"),
        net: of("net"),
        billedForRequests: of("billedForRequests"),
    };
}

/** Cost of running the cache: upstream calls for itself, pods and storage. */
export const runningCost = ({ billedForCache, pods, storage }: Money): Figure =>
    add(billedForCache, pods, storage);

/** All costs with the cache. */
export const costOf = (money: Money): Figure => add(runningCost(money), money.billedForRequests);

/** What the upstream would have charged for all texts. */
export const costWithoutCache = ({ saved, billedForRequests }: Money): Figure =>
    add(saved, billedForRequests);

/** Figures of a day that is only known by its report, in the names of hours. */
export function figuresOfReport({ cost, lookups, window }: Report): Figures {
    const { saved, billedForCache, billedForRequests, pods, storage } = cost;
    const net = add(saved, negate(billedForCache), negate(pods), negate(storage));
    const seconds = window.hours * 3600;
    const figures = {
        ...{ saved, billedForCache, billedForRequests, pods, storage, net, seconds },
        netSeconds: net === null ? null : seconds,
        "lookups reported": lookups.total,
    };
    return Object.fromEntries(
        Object.entries(figures).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    );
}
