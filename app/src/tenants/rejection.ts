import type { RejectionReason } from "@property-search/contract";

import { wallClock } from "../clock.ts";

/** Called for each request that a tenant's limits reject. */
export type OnRejected = (tenant: string, reason: RejectionReason) => void;

/** Tokens per minute are counted by calendar minutes. */
export function secondsToNextMinute(): number {
    return 60 - new Date(wallClock()).getUTCSeconds();
}
