import type { ReleasePhase, Weights } from "@property-search/contract";
import { floorFor } from "../capacity/capacity.ts";
import type { QuarantineRequest } from "../dataPlane/quarantine.ts";
import { Rejected, ReleaseError, Superseded } from "../error.ts";
import {
    candidateWeights,
    enterPhase,
    isAborting,
    stepWeight,
    omitField,
    updateLastStep,
    type AbortDetails,
    type Intervention,
    type Switch,
} from "../state.ts";
import type { WeightChange, Traffic } from "../traffic/traffic.ts";
import { deadlineOf } from "./deadline.ts";
import type { Ports } from "./ports.ts";
import { judgeReadiness } from "./judgeReadiness.ts";

/** Carries out a phase; called repeatedly until it returns another phase. */
type Phase = (state: Switch, ports: Ports, change: WeightChange) => Promise<Switch>;

/**
 * One transition. It can be repeated after a crash at any point: its effects are idempotent, and the record alone holds
 * the state.
 *
 * @returns the next state; the same object if there is nothing to write yet
 */
export async function transition(
    state: Switch,
    ports: Ports,
    change: WeightChange,
): Promise<Switch> {
    const now = ports.clock.now();
    const requested = applyRequest(state, now);
    if (requested !== state) return requested;
    const late = findMissedDeadline(state, now);
    if (late) return abortSwitch(state, now, { ...late, by: "the driver" });
    return PHASES[state.phase](state, ports, change);
}

/** Applies the action that another command has requested. */
function applyRequest(state: Switch, now: number): Switch {
    const { request } = state;
    if (request === undefined) return state;
    const rest = omitField(state, "request");
    const { action, by, at, reason } = request;
    const paused: Intervention = { by, at, reason };
    switch (action) {
        case "rollback":
            if (isAborting(state)) return rest;
            return abortSwitch(rest, now, { cause: "requested", by, reason });
        case "pause":
            return withLogEntry({ ...rest, paused }, now, `paused by ${by}${reasonSuffix(reason)}`);
        case "promote":
            return withLogEntry(
                omitField(rest, "paused"),
                now,
                `resumed by ${by}${reasonSuffix(reason)}`,
            );
    }
}

function findMissedDeadline(
    state: Switch,
    now: number,
): Pick<AbortDetails, "cause" | "reason"> | undefined {
    const { phase, paused, waitingFor } = state;
    const deadline = deadlineOf(state);
    if (!deadline || now < deadline.at) return undefined;
    const isAnalyzed = phase === "observe" || phase === "bake";
    const isInconclusive = isAnalyzed && !paused && state.steps.at(-1)?.verdict !== "pass";
    return {
        cause: isInconclusive ? "inconclusive" : "deadline",
        reason: waitingFor === undefined ? deadline.message : `${deadline.message}: ${waitingFor}`,
    };
}

function abortSwitch(
    state: Switch,
    now: number,
    { cause, by, reason }: Pick<AbortDetails, "cause" | "by" | "reason">,
): Switch {
    const words = `${cause === "requested" ? `rollback requested by ${by}` : cause}${reasonSuffix(reason)}`;
    return enterPhase(
        { ...state, aborted: { cause, by, at: now, reason, phase: state.phase } },
        "abort",
        now,
        words,
    );
}

/** A driver that was killed in `shift` may have shifted traffic without recording it. */
const BEFORE_TRAFFIC: readonly ReleasePhase[] = ["preflight", "raise", "smoke"];

const PHASES: Readonly<Record<ReleasePhase, Phase>> = {
    preflight,
    raise,
    smoke,
    shift,
    accept,
    measure,
    observe,
    bake,
    finalize,
    abort,
    cooldown,
    promoted: (state) => Promise.resolve(state),
    "rolled-back": (state) => Promise.resolve(state),
};

/** Rejects a switch that cannot succeed, before anything is changed. */
async function preflight(state: Switch, { clock, ...ports }: Ports): Promise<Switch> {
    const { capacity, dataPlane, route, traffic } = ports;
    const [candidate, active] = await Promise.all([
        capacity.pods(state.to),
        capacity.pods(state.from),
    ]);
    const weights = await traffic.read();
    const bounds = await capacity.bounds(state.to);
    const unaccepted = await route.notAcceptedReason();
    // A rejected config does not stop a rollback: it bypasses the owner of the weights.
    const isRelease = state.kind === "release";
    const rejected = isRelease ? await traffic.check?.() : undefined;
    const keyless =
        isRelease && active.ready > 0 ? await dataPlane.keyProblem(state.from) : undefined;
    const problems = [
        rejected !== undefined && `no update of the stack can succeed: ${rejected}`,
        keyless !== undefined && `the candidate cannot be checked: ${keyless}`,
        active.ready === 0 && `${state.from} has no ready pod`,
        candidate.desired === 0 && `${state.to} has no pod`,
        bounds.limit < active.ready &&
            `${state.to} may have ${bounds.limit} pods at most, and ${state.from} serves with ${active.ready}`,
        weights[state.from] <= weights[state.to] &&
            isRelease &&
            `${state.to} has ${weights[state.to]} % of the traffic already`,
        unaccepted !== undefined && `the gateway has not accepted the route: ${unaccepted}`,
    ].filter((finding) => finding !== false);
    if (problems.length > 0) throw new ReleaseError(problems.join("; "));
    if (isRelease) {
        const wait = await judgeReadiness(state, ports.judge, clock.now());
        if (wait !== undefined) return setWaiting(state, wait);
    }
    return enterPhase(state, "raise", clock.now(), `${state.from} → ${state.to} can start`);
}

/** Scales the candidate for the next step and quarantines its cache entries. */
async function raise(state: Switch, ports: Ports, { fence }: WeightChange): Promise<Switch> {
    const { capacity, clock, quarantine } = ports;
    const active = await capacity.pods(state.from);
    const bounds = await capacity.bounds(state.to);
    const floor = floorFor(stepWeight(state), Math.max(active.ready, active.desired), bounds);
    // The active colour keeps its size as long as a rollback is possible.
    await capacity.raiseFloor(state.from, active.ready, fence);
    await capacity.raiseFloor(state.to, floor, fence);
    const candidate = await capacity.pods(state.to);
    if (candidate.ready < floor) {
        return setWaiting(state, `${state.to} has ${candidate.ready} ready pods of ${floor}`);
    }
    // The ready pods are those of the previous build, which stay until the new ones are ready.
    if (!candidate.isRolledOut) {
        return setWaiting(
            state,
            `${state.to} has pods that do not run ${state.versions[state.to]} yet`,
        );
    }
    if (state.step === 0 && state.kind === "release")
        await quarantine.begin(state.to, quarantineRequest(state));
    const words = `${state.to} has ${candidate.ready} ready pods, ${floor} are needed`;
    return enterPhase(state, state.step === 0 ? "smoke" : "shift", clock.now(), words);
}

/** Sends requests to the candidate by header before it has traffic. */
async function smoke(state: Switch, { clock, dataPlane }: Ports): Promise<Switch> {
    // A missing API key must not keep the traffic from returning; the response itself shows that the colour answers.
    const keyless = state.kind === "rollback" ? await dataPlane.keyProblem(state.to) : undefined;
    if (keyless !== undefined) {
        return enterPhase(
            state,
            "shift",
            clock.now(),
            `responses of ${state.to} are not checked: ${keyless}`,
        );
    }
    const answers = await dataPlane.smoke(state.to, state.versions[state.to]);
    // Without responses there are no vectors to compare, and that error would hide the cause.
    const isComparable = answers.length === 0 && state.kind === "release";
    const [problem] = isComparable ? await dataPlane.compare(state.to, state.from) : answers;
    if (problem === undefined) {
        return enterPhase(state, "shift", clock.now(), `${state.to} answers correctly by header`);
    }
    return abortSwitch(state, clock.now(), { cause: "fail", by: "the driver", reason: problem });
}

async function shift(
    state: Switch,
    { clock, traffic }: Ports,
    change: WeightChange,
): Promise<Switch> {
    const weight = stepWeight(state);
    const weights = candidateWeights(state.to, weight);
    let past = "";
    try {
        await traffic.set(weights, change);
    } catch (error) {
        if (!(error instanceof Rejected)) throw error;
        const reason = error.message;
        if (state.kind === "release") {
            return abortSwitch(state, clock.now(), { cause: "fail", by: "the driver", reason });
        }
        past = await forceWeights(traffic, weights, change, reason);
    }
    const now = clock.now();
    const known = state.steps.filter((step) => step.weight !== weight);
    const steps = [...known, { weight, shiftedAt: now }];
    return enterPhase(
        { ...state, steps },
        "accept",
        now,
        `${state.to} has weight ${weight} %${past}`,
    );
}

/** Waits until the control plane has accepted this generation of the route. */
async function accept(state: Switch, { clock, route }: Ports): Promise<Switch> {
    const unaccepted = await route.notAcceptedReason();
    if (unaccepted !== undefined) return setWaiting(state, unaccepted);
    return enterPhase(state, "measure", clock.now(), "the gateway has accepted the weights");
}

/** Measures the shares at the data plane: proxies may lag behind an accepted route. */
async function measure(state: Switch, ports: Ports, { signal }: WeightChange): Promise<Switch> {
    const { clock, dataPlane } = ports;
    const weights = candidateWeights(state.to, stepWeight(state));
    const { matches, text } = await dataPlane.shares(weights, state.plan.shareRequests, signal);
    if (!matches) return setWaiting(state, text);
    const now = clock.now();
    // Requests before the weights took effect do not belong to the window.
    const measured = updateLastStep(state, { shares: text, shiftedAt: now });
    if (state.kind === "rollback") return enterPhase(measured, "finalize", now, `shares ${text}`);
    const isLast = state.step === state.plan.steps.length - 1;
    return enterPhase(measured, isLast ? "bake" : "observe", now, `shares ${text}`);
}

async function observe(state: Switch, ports: Ports): Promise<Switch> {
    const analyzed = await analyzeStep(state, ports);
    if (analyzed.phase !== state.phase || state.paused) return analyzed;
    const now = ports.clock.now();
    const elapsedSeconds = (now - state.phaseSince) / 1000;
    if (analyzed.steps.at(-1)?.verdict !== "pass" || elapsedSeconds < state.plan.minStepSeconds)
        return analyzed;
    const next = { ...analyzed, step: state.step + 1 };
    return enterPhase(next, "raise", now, `${stepWeight(state)} % passed`);
}

/** Analyses the candidate with all traffic, while a rollback is still possible. */
async function bake(state: Switch, ports: Ports): Promise<Switch> {
    const analyzed = await analyzeStep(state, ports);
    if (analyzed.phase !== state.phase || state.paused) return analyzed;
    const now = ports.clock.now();
    const baked = (now - state.phaseSince) / 1000 >= state.plan.bakeSeconds;
    if (analyzed.steps.at(-1)?.verdict !== "pass" || !baked) return analyzed;
    return enterPhase(
        analyzed,
        "finalize",
        now,
        `100 % passed, and ${state.plan.bakeSeconds} s of analysis`,
    );
}

async function analyzeStep(state: Switch, ports: Ports): Promise<Switch> {
    const { clock, dataPlane, judge } = ports;
    const since = state.steps.at(-1)?.shiftedAt ?? state.phaseSince;
    const roles = { candidate: state.to, active: state.from };
    const look = await judge.analyze({ ...roles, since, plan: state.plan });
    const now = clock.now();
    const { verdict, reasons, figures } = look;
    const updated = updateLastStep(state, { verdict, reasons, figures, analyzedAt: now });
    if (verdict === "fail") {
        return abortSwitch(updated, now, {
            cause: "fail",
            by: "the judge",
            reason: reasons.join("; "),
        });
    }
    const differences = await dataPlane.compare(state.to, state.from);
    if (differences.length > 0) {
        const reason = differences.join("; ");
        return abortSwitch(updated, clock.now(), { cause: "fail", by: "the driver", reason });
    }
    return verdict === "inconclusive"
        ? setWaiting(updated, reasons.join("; "))
        : clearWaiting(updated);
}

/** From here, only another switch can return the traffic. */
async function finalize(state: Switch, ports: Ports, { fence }: WeightChange): Promise<Switch> {
    const { capacity, clock, quarantine, writeWeightsToConfig } = ports;
    if (state.kind === "release") await quarantine.promote(state.to, quarantineRequest(state));
    await capacity.restoreFloor(state.from, fence);
    await capacity.restoreFloor(state.to, fence);
    await writeWeightsToConfig(state);
    return enterPhase(state, "promoted", clock.now(), `${state.to} serves`);
}

/**
 * Returns the traffic before anything else. An owner of the weights that rejects them, or has not set them by the phase's
 * deadline, is bypassed.
 */
async function abort(
    state: Switch,
    { clock, traffic }: Ports,
    change: WeightChange,
): Promise<Switch> {
    const { from, to, aborted } = state;
    const untouched = aborted !== undefined && BEFORE_TRAFFIC.includes(aborted.phase);
    if (untouched && state.steps.length === 0 && (await traffic.read())[from] === 100) {
        return enterPhase(
            state,
            "cooldown",
            clock.now(),
            `${to} had no traffic, so none has to return`,
        );
    }
    const weights = candidateWeights(from, 100);
    let past = "";
    try {
        await traffic.set(weights, change);
    } catch (error) {
        const isLate = clock.now() - state.phaseSince >= state.plan.phaseDeadlineSeconds * 1000;
        const isHopeless = error instanceof Rejected || (error instanceof ReleaseError && isLate);
        if (!isHopeless || error instanceof Superseded) throw error;
        past = await forceWeights(traffic, weights, change, error.message);
    }
    return enterPhase(state, "cooldown", clock.now(), `all traffic returns to ${from}${past}`);
}

/**
 * Sets the weights past their owner.
 *
 * @returns a suffix for the log message
 * @throws ReleaseError with the reason if the weights have no other writer
 */
async function forceWeights(
    { force }: Traffic,
    weights: Weights,
    change: WeightChange,
    reason: string,
): Promise<string> {
    if (!force) throw new ReleaseError(reason);
    await force(weights, change);
    return `, past the owner of the weights: ${reason}`;
}

/** Lets the candidate finish its requests, then restores both floors. */
async function cooldown(state: Switch, ports: Ports, { fence }: WeightChange): Promise<Switch> {
    const { capacity, clock, route, writeWeightsToConfig } = ports;
    const unaccepted = await route.notAcceptedReason();
    if (unaccepted !== undefined) return setWaiting(state, unaccepted);
    if ((clock.now() - state.phaseSince) / 1000 < state.plan.cooldownSeconds) return state;
    await capacity.restoreFloor(state.to, fence);
    await capacity.restoreFloor(state.from, fence);
    await writeWeightsToConfig(state);
    return enterPhase(state, "rolled-back", clock.now(), `${state.from} serves all traffic`);
}

function quarantineRequest({ id, actor }: Switch): QuarantineRequest {
    return { release: id, actor };
}

/** Records what a phase waits for, if it changed. */
export function setWaiting(state: Switch, waitingFor: string): Switch {
    return state.waitingFor === waitingFor ? state : { ...state, waitingFor };
}

function clearWaiting(state: Switch): Switch {
    return state.waitingFor === undefined ? state : omitField(state, "waitingFor");
}

function withLogEntry(state: Switch, now: number, message: string): Switch {
    return { ...state, log: [...state.log, { at: now, phase: state.phase, message }] };
}

function reasonSuffix(reason: string): string {
    return reason === "" ? "" : `: ${reason}`;
}
