import { routeWeights } from "../../shared/route.ts";
import { clusterCapacity, podsOfBoth } from "../capacity/capacity.ts";
import { deadlineOf } from "../machine/deadline.ts";
import { waitsFor } from "../machine/describeWait.ts";
import { statusText, type Status } from "../report/text.ts";
import { isOver } from "../state.ts";
import { holderOf } from "../store/lease.ts";
import { readRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";

export interface StatusOptions {
    readonly json: boolean;
    readonly watch: boolean;
}

const WATCH_MILLISECONDS = 2_000;

async function readStatus({ api, store, isGone }: Context): Promise<Status> {
    const [{ state }, holder, route, pods] = await Promise.all([
        store.read(),
        holderOf(api),
        readRoute(api),
        podsOfBoth(clusterCapacity(api)),
    ]);
    const isUnderWay = state !== undefined && !isOver(state);
    const isAtWork = isUnderWay && holder !== undefined && !isGone(holder);
    return {
        weights: routeWeights(route),
        pods,
        switch: state,
        isUnderWay,
        driver: isAtWork ? holder : undefined,
        waitsFor: state && waitsFor(state),
        deadline: isUnderWay ? deadlineOf(state)?.at : undefined,
    };
}

/** Shows the state of the release; with `watch` repeatedly, until the switch ends. */
export async function status(context: Context, { json, watch }: StatusOptions): Promise<void> {
    const { clock, report, signal } = context;
    let shown = "";
    for (;;) {
        const now = await readStatus(context);
        const text = json ? JSON.stringify(now) : statusText(now, clock.now());
        if (text !== shown) report(watch && !json && shown !== "" ? `\n${text}` : text);
        shown = text;
        if (!watch || !now.isUnderWay) return;
        await clock.sleep(WATCH_MILLISECONDS, signal);
    }
}
