import type { ReleasePhase, Weights } from "@property-search/contract";
import { floorFor } from "../capacity/capacity.ts";
import type { TrialWish } from "../dataPlane/quarantine.ts";
import { Rejected, ReleaseError, Superseded } from "../error.ts";
import {
    candidateWeights,
    enter,
    isAborting,
    weightOf,
    without,
    withStep,
    type Aborted,
    type Asked,
    type Switch,
} from "../state.ts";
import type { Change, Traffic } from "../traffic/traffic.ts";
import { deadlineOf } from "./deadline.ts";
import type { Ports } from "./ports.ts";
import { unseen } from "./judgeReadiness.ts";

/** Carries out a phase; called repeatedly until it returns another phase. */
type Phase = (state: Switch, ports: Ports, change: Change) => Promise<Switch>;

/**
 * One transition. It can be repeated after a crash at any point: its effects are idempotent, and the record alone holds
 * the state.
 *
 * @returns the next state; the same object if there is nothing to write yet
 */
export async function transition(state: Switch, ports: Ports, change: Change): Promise<Switch> {
    const now = ports.clock.now();
    const asked = answered(state, now);
    if (asked !== state) return asked;
    const late = overdue(state, now);
    if (late) return aborted(state, now, { ...late, by: "the driver" });
    return PHASES[state.phase](state, ports, change);
}

/** Applies the action that another command has requested. */
function answered(state: Switch, now: number): Switch {
    const { request } = state;
    if (request === undefined) return state;
    const rest = without(state, "request");
    const { what, by, at, reason } = request;
    const paused: Asked = { by, at, reason };
    switch (what) {
        case "rollback":
            if (isAborting(state)) return rest;
            return aborted(rest, now, { cause: "asked", by, reason });
        case "pause":
            return logged({ ...rest, paused }, now, `paused by ${by}${because(reason)}`);
        case "promote":
            return logged(without(rest, "paused"), now, `resumed by ${by}${because(reason)}`);
    }
}

function overdue(state: Switch, now: number): Pick<Aborted, "cause" | "reason"> | undefined {
    const { phase, paused, trouble } = state;
    const deadline = deadlineOf(state);
    if (!deadline || now < deadline.at) return undefined;
    const isJudged = phase === "observe" || phase === "bake";
    const isUnseen = isJudged && !paused && state.steps.at(-1)?.verdict !== "pass";
    return {
        cause: isUnseen ? "no data" : "deadline",
        reason: trouble === undefined ? deadline.words : `${deadline.words}: ${trouble}`,
    };
}

function aborted(
    state: Switch,
    now: number,
    { cause, by, reason }: Pick<Aborted, "cause" | "by" | "reason">,
): Switch {
    const words = `${cause === "asked" ? `rollback requested by ${by}` : cause}${because(reason)}`;
    return enter(
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
    cool,
    promoted: (state) => Promise.resolve(state),
    "rolled-back": (state) => Promise.resolve(state),
};

/** Rejects a switch that cannot succeed, before anything is changed. */
async function preflight(state: Switch, { clock, ...ports }: Ports): Promise<Switch> {
    const { capacity, route, traffic } = ports;
    const [candidate, active] = await Promise.all([
        capacity.pods(state.to),
        capacity.pods(state.from),
    ]);
    const weights = await traffic.read();
    const bounds = await capacity.bounds(state.to);
    const unaccepted = await route.unaccepted();
    // A rejected config does not stop a rollback: it bypasses the owner of the weights.
    const rejected = state.kind === "release" ? await traffic.check?.() : undefined;
    const findings = [
        rejected !== undefined && `no update of the stack can succeed: ${rejected}`,
        active.ready === 0 && `${state.from} has no ready pod`,
        candidate.wanted === 0 && `${state.to} has no pod`,
        bounds.limit < active.ready &&
            `${state.to} may have ${bounds.limit} pods at most, and ${state.from} serves with ${active.ready}`,
        weights[state.from] <= weights[state.to] &&
            state.kind === "release" &&
            `${state.to} has ${weights[state.to]} % of the traffic already`,
        unaccepted !== undefined && `the gateway has not accepted the route: ${unaccepted}`,
    ].filter((finding) => finding !== false);
    if (findings.length > 0) throw new ReleaseError(findings.join("; "));
    if (state.kind === "release") {
        const wait = await unseen(state, ports.judge, clock.now());
        if (wait !== undefined) return troubled(state, wait);
    }
    return enter(state, "raise", clock.now(), `${state.from} → ${state.to} can start`);
}

/** Scales the candidate for the next step and quarantines its cache entries. */
async function raise(state: Switch, ports: Ports, { fence }: Change): Promise<Switch> {
    const { capacity, clock, trials } = ports;
    const active = await capacity.pods(state.from);
    const bounds = await capacity.bounds(state.to);
    const floor = floorFor(weightOf(state), Math.max(active.ready, active.wanted), bounds);
    // The active colour keeps its size as long as a rollback is possible.
    await capacity.raise(state.from, active.ready, fence);
    await capacity.raise(state.to, floor, fence);
    const candidate = await capacity.pods(state.to);
    if (candidate.ready < floor) {
        return troubled(state, `${state.to} has ${candidate.ready} ready pods of ${floor}`);
    }
    // The ready pods are those of the previous build, which stay until the new ones are ready.
    if (!candidate.rolledOut) {
        return troubled(
            state,
            `${state.to} has pods that do not run ${state.versions[state.to]} yet`,
        );
    }
    if (state.step === 0 && state.kind === "release") await trials.begin(state.to, wish(state));
    const words = `${state.to} has ${candidate.ready} ready pods, ${floor} are needed`;
    return enter(state, state.step === 0 ? "smoke" : "shift", clock.now(), words);
}

/** Sends requests to the candidate by header before it has traffic. */
async function smoke(state: Switch, { clock, dataPlane }: Ports): Promise<Switch> {
    const answers = await dataPlane.smoke(state.to, state.versions[state.to]);
    // Without responses there are no vectors to compare, and that error would hide the cause.
    const isComparable = answers.length === 0 && state.kind === "release";
    const [finding] = isComparable ? await dataPlane.compare(state.to, state.from) : answers;
    if (finding === undefined) {
        return enter(state, "shift", clock.now(), `${state.to} answers correctly by header`);
    }
    return aborted(state, clock.now(), { cause: "fail", by: "the driver", reason: finding });
}

async function shift(state: Switch, { clock, traffic }: Ports, change: Change): Promise<Switch> {
    const weight = weightOf(state);
    const weights = candidateWeights(state.to, weight);
    let past = "";
    try {
        await traffic.set(weights, change);
    } catch (error) {
        if (!(error instanceof Rejected)) throw error;
        const reason = error.message;
        if (state.kind === "release") {
            return aborted(state, clock.now(), { cause: "fail", by: "the driver", reason });
        }
        past = await force(traffic, weights, change, reason);
    }
    const now = clock.now();
    const known = state.steps.filter((step) => step.weight !== weight);
    const steps = [...known, { weight, shiftedAt: now }];
    return enter({ ...state, steps }, "accept", now, `${state.to} has weight ${weight} %${past}`);
}

/** Waits until the control plane has accepted this generation of the route. */
async function accept(state: Switch, { clock, route }: Ports): Promise<Switch> {
    const unaccepted = await route.unaccepted();
    if (unaccepted !== undefined) return troubled(state, unaccepted);
    return enter(state, "measure", clock.now(), "the gateway has accepted the weights");
}

/** Measures the shares at the data plane: proxies may lag behind an accepted route. */
async function measure(state: Switch, ports: Ports, { signal }: Change): Promise<Switch> {
    const { clock, dataPlane } = ports;
    const weights = candidateWeights(state.to, weightOf(state));
    const { holds, text } = await dataPlane.shares(weights, state.plan.shareSamples, signal);
    if (!holds) return troubled(state, text);
    const now = clock.now();
    // Requests before the weights took effect do not belong to the window.
    const measured = withStep(state, { shares: text, shiftedAt: now });
    if (state.kind === "rollback") return enter(measured, "finalize", now, `shares ${text}`);
    const isLast = state.step === state.plan.steps.length - 1;
    return enter(measured, isLast ? "bake" : "observe", now, `shares ${text}`);
}

async function observe(state: Switch, ports: Ports): Promise<Switch> {
    const looked = await judged(state, ports);
    if (looked.phase !== state.phase || state.paused) return looked;
    const now = ports.clock.now();
    const held = (now - state.phaseSince) / 1000;
    if (looked.steps.at(-1)?.verdict !== "pass" || held < state.plan.hold) return looked;
    const next = { ...looked, step: state.step + 1 };
    return enter(next, "raise", now, `${weightOf(state)} % passed`);
}

/** Analyses the candidate with all traffic, while a rollback is still possible. */
async function bake(state: Switch, ports: Ports): Promise<Switch> {
    const looked = await judged(state, ports);
    if (looked.phase !== state.phase || state.paused) return looked;
    const now = ports.clock.now();
    const baked = (now - state.phaseSince) / 1000 >= state.plan.bake;
    if (looked.steps.at(-1)?.verdict !== "pass" || !baked) return looked;
    return enter(looked, "finalize", now, `100 % passed, and ${state.plan.bake} s of analysis`);
}

async function judged(state: Switch, ports: Ports): Promise<Switch> {
    const { clock, dataPlane, judge } = ports;
    const since = state.steps.at(-1)?.shiftedAt ?? state.phaseSince;
    const roles = { candidate: state.to, active: state.from };
    const look = await judge.look({ ...roles, since, plan: state.plan });
    const now = clock.now();
    const { verdict, reasons, figures } = look;
    const seen = withStep(state, { verdict, reasons, figures, judgedAt: now });
    if (verdict === "fail") {
        return aborted(seen, now, { cause: "fail", by: "the judge", reason: reasons.join("; ") });
    }
    const differences = await dataPlane.compare(state.to, state.from);
    if (differences.length > 0) {
        const reason = differences.join("; ");
        return aborted(seen, clock.now(), { cause: "fail", by: "the driver", reason });
    }
    return verdict === "no data" ? troubled(seen, reasons.join("; ")) : untroubled(seen);
}

/** From here, only another switch can return the traffic. */
async function finalize(state: Switch, ports: Ports, { fence }: Change): Promise<Switch> {
    const { capacity, clock, trials, settle } = ports;
    if (state.kind === "release") await trials.promote(state.to, wish(state));
    await capacity.giveBack(state.from, fence);
    await capacity.giveBack(state.to, fence);
    await settle(state);
    return enter(state, "promoted", clock.now(), `${state.to} serves`);
}

/**
 * Returns the traffic before anything else. An owner of the weights that rejects them, or has not set them by the phase's
 * deadline, is bypassed.
 */
async function abort(state: Switch, { clock, traffic }: Ports, change: Change): Promise<Switch> {
    const { from, to, aborted } = state;
    const untouched = aborted !== undefined && BEFORE_TRAFFIC.includes(aborted.phase);
    if (untouched && state.steps.length === 0 && (await traffic.read())[from] === 100) {
        return enter(state, "cool", clock.now(), `${to} had no traffic, so none has to return`);
    }
    const weights = candidateWeights(from, 100);
    let past = "";
    try {
        await traffic.set(weights, change);
    } catch (error) {
        const isLate = clock.now() - state.phaseSince >= state.plan.phaseDeadline * 1000;
        const isHopeless = error instanceof Rejected || (error instanceof ReleaseError && isLate);
        if (!isHopeless || error instanceof Superseded) throw error;
        past = await force(traffic, weights, change, error.message);
    }
    return enter(state, "cool", clock.now(), `all traffic returns to ${from}${past}`);
}

/**
 * Sets the weights past their owner.
 *
 * @returns a suffix for the log message
 * @throws ReleaseError with the reason if the weights have no other writer
 */
async function force(
    { force }: Traffic,
    weights: Weights,
    change: Change,
    reason: string,
): Promise<string> {
    if (!force) throw new ReleaseError(reason);
    await force(weights, change);
    return `, past the owner of the weights: ${reason}`;
}

/** Lets the candidate finish its requests, then restores both floors. */
async function cool(state: Switch, ports: Ports, { fence }: Change): Promise<Switch> {
    const { capacity, clock, route, settle } = ports;
    const unaccepted = await route.unaccepted();
    if (unaccepted !== undefined) return troubled(state, unaccepted);
    if ((clock.now() - state.phaseSince) / 1000 < state.plan.cool) return state;
    await capacity.giveBack(state.to, fence);
    await capacity.giveBack(state.from, fence);
    await settle(state);
    return enter(state, "rolled-back", clock.now(), `${state.from} serves all traffic`);
}

function wish({ id, actor }: Switch): TrialWish {
    return { release: id, actor };
}

/** Records what a phase waits for, if it changed. */
export function troubled(state: Switch, trouble: string): Switch {
    return state.trouble === trouble ? state : { ...state, trouble };
}

function untroubled(state: Switch): Switch {
    return state.trouble === undefined ? state : without(state, "trouble");
}

function logged(state: Switch, now: number, words: string): Switch {
    return { ...state, log: [...state.log, { at: now, phase: state.phase, words }] };
}

function because(reason: string): string {
    return reason === "" ? "" : `: ${reason}`;
}
