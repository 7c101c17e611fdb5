import { createReadStream, existsSync } from "node:fs";

/**
 * The used fields of engine events in the CLI's log (pulumi/pulumi, sdk/go/common/apitype/events.go).
 */
export interface EngineEvent {
    readonly diagnosticEvent?: {
        readonly urn?: string;
        readonly message: string;
        readonly severity: "debug" | "info" | "info#err" | "warning" | "error";
        readonly ephemeral?: boolean;
    };
    readonly policyEvent?: {
        readonly resourceUrn?: string;
        readonly message: string;
        readonly policyName: string;
        readonly enforcementLevel: string;
    };
    readonly resourcePreEvent?: { readonly metadata: StepMetadata };
    readonly resOutputsEvent?: { readonly metadata: StepMetadata };
    readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
    readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>> };
}

export interface StepMetadata {
    readonly op: string;
    readonly urn: string;
    readonly type: string;
    readonly old?: StepState | null;
    readonly new?: StepState | null;
    /** Kinds of change by path, such as `spec.replicas`. */
    readonly detailedDiff?: Readonly<Record<string, PropertyDiff>> | null;
}

export interface StepState {
    readonly parent?: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface PropertyDiff {
    readonly diffKind: string;
    /** Whether the old value is an input; else it is an output. */
    readonly inputDiff: boolean;
}

/** Environment that enables `--event-log`, an option for tools such as Pulumi's Automation API. */
export const EVENT_LOG_ENV = { PULUMI_DEBUG_COMMANDS: "true" };

/** Reads a log while it is written: each call returns the new events. */
export function createEventReader(file: string): () => Promise<readonly EngineEvent[]> {
    let position = 0;
    let rest = Buffer.alloc(0);
    return async () => {
        if (!existsSync(file)) return [];
        for await (const chunk of createReadStream(file, { start: position })) {
            position += (chunk as Buffer).length;
            rest = Buffer.concat([rest, chunk as Buffer]);
        }
        const end = rest.lastIndexOf("\n") + 1;
        const lines = rest.subarray(0, end).toString("utf8").split("\n");
        rest = rest.subarray(end);
        return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as EngineEvent);
    };
}
