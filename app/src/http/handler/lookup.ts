import type { Resolver } from "../../cache/resolver.ts";
import { detach } from "../../detach.ts";
import type { ChooseCacheMode } from "../../reuse/cacheMode.ts";
import type { Experiments, Subject } from "../../experiments/experiments.ts";
import type { HotKeys } from "../../hotKeys/hotKeys.ts";
import type { ByteBudget, ByteReservation } from "../../memory/byteBudget.ts";
import type { LookupContext } from "../../requestContext.ts";
import type { Admission } from "../../tenants/authenticator.ts";
import { overloadedError } from "../protocol/requestBody.ts";
import type { Completion, PendingRequest } from "./completion.ts";
import type { RequestWithKeys } from "./parseAndKey.ts";
import { estimateResponseBytes, type ResponseMemory } from "./responseMemory.ts";
import type { CheckTokenLimits } from "./tokenLimits.ts";

export interface LookupDependencies {
    readonly resolver: Resolver;
    readonly hotKeys: Pick<HotKeys, "record">;
    readonly experiments: Pick<Experiments, "record">;
    readonly checkTokenLimits: CheckTokenLimits;
    /** Undefined while semantic reuse is off, which leaves the header unread. */
    readonly chooseCacheMode: ChooseCacheMode | undefined;
    /** Budget of the bodies of all routes, until their responses. */
    readonly bodyBudget: ByteBudget;
    /** Memory of the responses of all routes. */
    readonly responseMemory: ResponseMemory;
    /** Native dimensions of the model, if known. */
    readonly dimensions: () => number | undefined;
}

/** Deadline of the upstream, from the last byte of the request. */
const TIMEOUT_MILLISECONDS = 25_000;
/** Smaller responses are bounded by the number of connections. */
const SMALL_RESPONSE_BYTES = 64 * 1024;
/** Used until the model's dimensions are known. */
const LIKELY_DIMENSIONS = 1_536;

/**
 * Looks up the vectors of a request, and completes it.
 *
 * @param bytes size of the body, unless that is reserved already
 */
type LookUp = (
    pending: PendingRequest,
    admission: Admission,
    parsed: RequestWithKeys,
    bytes: number,
) => void;

export function createLookup(
    dependencies: LookupDependencies,
    { trySend, send, failItems }: Completion,
): LookUp {
    const { resolver, hotKeys, experiments, checkTokenLimits } = dependencies;
    const { bodyBudget, responseMemory, dimensions, chooseCacheMode } = dependencies;

    async function resolve(
        pending: PendingRequest,
        admission: Admission,
        parsed: RequestWithKeys,
        lookup: LookupContext,
        subject: Subject,
    ): Promise<void> {
        const { request, items } = parsed;
        const { receivedAt, span } = pending;
        try {
            const checking = checkTokenLimits(request);
            if (checking) await checking;
            const deadline = receivedAt + TIMEOUT_MILLISECONDS;
            const length = lookup.dimensions ?? dimensions() ?? LIKELY_DIMENSIONS;
            const bytes = estimateResponseBytes(items.length, length, request.encoding);
            if (bytes > SMALL_RESPONSE_BYTES)
                pending.responseReservation = await responseMemory.reserve(lookup, bytes, deadline);
            const context = { ...lookup, purpose: "request", deadline, span } as const;
            const resolved = await resolver.resolve(items, context);
            send(pending, admission, request, resolved);
            experiments.record(items, resolved, receivedAt, subject);
        } catch (error) {
            failItems(pending, error, parsed);
        }
    }

    return (pending, admission, parsed, bytes) => {
        const { tenant } = admission;
        try {
            const { request, items } = parsed;
            hotKeys.record(items, tenant.pool);
            const { dimensions, user } = request;
            const chosen = chooseCacheMode?.(pending.rawHeaders, tenant, user);
            const { pool, id } = tenant;
            const context = { pool, tenant: id, dimensions, cacheMode: chosen?.mode };
            const subject = { tenant: id, user, isModeNamed: chosen?.isNamed ?? false };
            const local = resolver.local(items, context);
            if (local && trySend(pending, admission, request, local)) {
                experiments.record(items, local, pending.receivedAt, subject);
                return;
            }
            pending.bodyReservation ??= reserveBody(bodyBudget, bytes, id);
            detach(resolve(pending, admission, parsed, context, subject));
        } catch (error) {
            failItems(pending, error, parsed);
        }
    };
}

/** @throws HttpError if other pending requests, or those of this tenant, use too much of the memory */
export function reserveBody(budget: ByteBudget, bytes: number, tenant: string): ByteReservation {
    const reservation = budget.reserve(() => undefined, tenant);
    reservation.pin();
    if (reservation.grow(bytes)) return reservation;
    throw overloadedError();
}
