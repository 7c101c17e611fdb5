import { routeWeights } from "../../shared/route.ts";
import { clusterCapacity, readPods } from "../capacity/capacity.ts";
import { deadlineOf } from "../machine/deadline.ts";
import { describeWait } from "../machine/describeWait.ts";
import { statusText, type Status } from "../report/text.ts";
import { hasEnded } from "../state.ts";
import { readHolder } from "../store/lease.ts";
import { readRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";

export interface StatusOptions {
    readonly json: boolean;
    readonly watch: boolean;
}

const WATCH_MILLISECONDS = 2_000;

async function readStatus({ api, store, hasExited }: Context): Promise<Status> {
    const [{ state }, holder, route, pods] = await Promise.all([
        store.read(),
        readHolder(api),
        readRoute(api),
        readPods(clusterCapacity(api)),
    ]);
    const isUnderWay = state !== undefined && !hasEnded(state);
    const isAtWork = isUnderWay && holder !== undefined && !hasExited(holder);
    return {
        weights: routeWeights(route),
        pods,
        switch: state,
        isUnderWay,
        driver: isAtWork ? holder : undefined,
        waitingFor: state && describeWait(state),
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
