import { COLOURS, type Colour, type PerColour, type Weights } from "@property-search/contract";
import type { Pods } from "../capacity/capacity.ts";
import { isAborting, hasEnded, stepWeight, type StepResult, type Switch } from "../state.ts";

/** Content of `status --json`. Times in milliseconds since the epoch. */
export interface Status {
    readonly weights: Weights;
    readonly pods: PerColour<Pods>;
    /** The current switch, or the last one. */
    readonly switch: Switch | undefined;
    readonly isUnderWay: boolean;
    /** Lease holder; undefined if no driver runs and the next `switch` resumes. */
    readonly driver: string | undefined;
    /** What the switch waits for; undefined if none is in progress. */
    readonly waitingFor: string | undefined;
    /** Deadline of the current phase. */
    readonly deadline: number | undefined;
}

const WIDTH = 80;

/** At most 80 columns wide. */
export function statusText(status: Status, now: number): string {
    const { weights, pods, driver } = status;
    const state = status.switch;
    const lines = COLOURS.map((colour) => colourLine(colour, weights, pods));
    if (!state) return [...lines, "There has been no switch yet."].join("\n");
    lines.push("", ...wrapLines(headline(state, now)), ...state.steps.flatMap(stepLines));
    if (status.isUnderWay) {
        lines.push(...wrapLines(`phase   ${describePhase(state, now)}`));
        if (status.waitingFor !== undefined)
            lines.push(...wrapLines(`waiting ${status.waitingFor}`));
        if (status.deadline !== undefined) {
            const left = formatDuration(status.deadline - now);
            lines.push(`limit   rolled back in ${left} unless this changes`);
        }
        lines.push(
            ...wrapLines(
                driver === undefined
                    ? `driver  none: make switch TO=${state.to} resumes, make rollback reverts`
                    : `driver  ${driver}`,
            ),
        );
    } else lines.push(...wrapLines(`end     ${describeEnd(state)}`));
    return lines.join("\n");
}

/** One line for the newest log entry. */
export function progressLine({ log }: Switch): string {
    const last = log.at(-1);
    return last ? `${formatTime(last.at)}  ${last.phase.padEnd(11)} ${last.message}` : "";
}

/** Past switches, one line each, newest first. */
export function historyText(states: readonly Switch[]): string {
    if (states.length === 0) return "There has been no switch yet.";
    const head = `${"started".padEnd(20)}${"switch".padEnd(16)}${"took".padEnd(12)}${"end".padEnd(13)}by`;
    const rows = states.flatMap((state) => {
        const took = formatDuration(state.phaseSince - state.startedAt);
        const way = `${state.from} → ${state.to}`;
        const row =
            `${formatTimestamp(state.startedAt).padEnd(20)}${way.padEnd(16)}${took.padEnd(12)}` +
            `${state.phase.padEnd(13)}${state.actor}`;
        const why = state.aborted?.reason ?? state.reason;
        return why === "" ? wrapLines(row) : [...wrapLines(row), ...wrapLines(why, "    ")];
    });
    return [head, ...rows].join("\n");
}

export function describeEnd(state: Switch): string {
    const took = formatDuration(state.phaseSince - state.startedAt);
    if (state.phase === "promoted") return `${state.to} serves all traffic after ${took}`;
    const { aborted } = state;
    const why = aborted ? `: ${aborted.cause}, ${aborted.reason}` : "";
    return `rolled back to ${state.from} after ${took}${why}`;
}

function colourLine(colour: Colour, weights: Weights, pods: PerColour<Pods>): string {
    const { ready, desired, version } = pods[colour];
    const share = `${weights[colour]} %`.padStart(5);
    return `${colour.padEnd(6)}${share}  ${ready} of ${desired} pods ready  ${version}`;
}

function headline(state: Switch, now: number): string {
    const ago = formatDuration(now - state.startedAt);
    const what = state.kind === "release" ? "Switch" : "Rollback";
    return `${what} ${state.id}: ${state.from} → ${state.to}, started ${ago} ago by ${state.actor}`;
}

function stepLines(step: StepResult): string[] {
    const verdict = step.verdict === undefined ? "" : `, verdict ${step.verdict}`;
    const shares = step.shares === undefined ? "" : `: ${step.shares}`;
    return [
        ...wrapLines(
            `${`${step.weight} %`.padEnd(8)}${formatTime(step.shiftedAt)}${verdict}${shares}`,
        ),
        ...(step.reasons ?? []).flatMap((reason) => wrapLines(reason, "        ")),
    ];
}

function describePhase(state: Switch, now: number): string {
    const since = formatDuration(now - state.phaseSince);
    const paused = state.paused ? `, paused by ${state.paused.by}` : "";
    const weight = isAborting(state) || hasEnded(state) ? "" : ` at ${stepWeight(state)} %`;
    return `${state.phase}${weight} for ${since}${paused}`;
}

/** `1 h 5 min`, `3 min 20 s`, `12 s` */
export function formatDuration(milliseconds: number): string {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
    if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
    const rest = seconds % 60;
    if (minutes > 0) return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
    return `${rest} s`;
}

function formatTimestamp(milliseconds: number): string {
    return new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ");
}

/** `14:03:20`, in the local time zone. */
export function formatTime(milliseconds: number): string {
    return new Date(milliseconds).toTimeString().slice(0, 8);
}

/** Wraps a text at 80 columns; continuation lines are indented. */
function wrapLines(text: string, indent = ""): string[] {
    const lines: string[] = [];
    let line = indent;
    for (const word of text.split(" ")) {
        if (line.trim() !== "" && line.length + word.length + 1 > WIDTH) {
            lines.push(line.trimEnd());
            line = `${indent || "        "}${word} `;
        } else line += `${word} `;
    }
    return [...lines, line.trimEnd()];
}
