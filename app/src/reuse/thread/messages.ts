import type { SemanticOutcome } from "@property-search/contract";

import type { ConceptRules } from "../../semantic/conceptRules.ts";
import type { NamespaceState } from "../../semantic/namespace.ts";
import type { TermPair } from "../../semantic/termPairs.ts";
import type { ReuseConfig } from "../config.ts";
import type { Veto } from "../../semantic/vetoes.ts";

/** Identifies the texts of one tenant, model, revision, epoch and number of dimensions. */
export type NamespaceId = string;

/** A namespace, and the length of its vectors. */
export interface NamespaceRef {
    readonly id: NamespaceId;
    readonly dimensions: number;
}

/** Passed to a new thread. */
export interface ThreadData {
    readonly model: string;
    readonly tokenizer: string;
    readonly options: EngineOptions;
}

export interface EngineOptions extends Pick<
    ReuseConfig,
    "maxEntries" | "errorBudget" | "errorBudgetScope" | "auditShare" | "confidence" | "textSecret"
> {
    readonly rules: ConceptRules;
    /** What was learned by another build is not restored: it may decide differently. */
    readonly build: string;
}

/** A short text that the exact caches do not have. */
export interface TextToLookUp {
    readonly text: string;
    /** Chosen by the caller; a lesson about this text names it. */
    readonly ticket: number;
}

export interface LookupRequest {
    readonly kind: "look up";
    readonly namespace: NamespaceRef;
    readonly texts: readonly TextToLookUp[];
    /** Requests in this namespace that the exact caches have answered since the last lookup. */
    readonly exactHits: number;
}

/** What the thread decided about a text. */
export type Answer =
    | {
          readonly outcome: "served";
          readonly vector: Float32Array<ArrayBuffer>;
          /** Tokens of the local model. */
          readonly tokens: number;
          readonly similarity: number;
          readonly errorBound: number;
      }
    | { readonly outcome: Exclude<SemanticOutcome, "served"> };

/** The true vector of a text that was looked up. */
export interface Lesson {
    readonly ticket: number;
    readonly key: string;
    readonly vector: Float32Array<ArrayBuffer>;
    /** In milliseconds of `wallClock()` in the thread: the end of the entry with this vector. */
    readonly usableUntil: number;
}

export interface LessonRequest {
    readonly kind: "learn";
    readonly namespace: NamespaceRef;
    readonly lessons: readonly Lesson[];
}

/** A text in the form in which it is stored, with its signature: see records.ts. */
export interface SealedText {
    readonly key: string;
    readonly sealed: Uint8Array<ArrayBuffer>;
}

/** Texts that were paid for by another process, or before this one. */
export interface AdoptRequest {
    readonly kind: "adopt";
    readonly namespace: NamespaceRef;
    readonly texts: readonly (SealedText & Pick<Lesson, "vector" | "usableUntil">)[];
}

export interface Adopted {
    /** Keys of texts that this thread cannot read: of another secret. */
    readonly unreadable: readonly string[];
}

/** Asks for what a namespace has learned, in the form in which it is stored. */
export interface SaveRequest {
    readonly kind: "save";
    readonly namespace: NamespaceRef;
}

/** What another thread of this build has learned. */
export interface RestoreRequest {
    readonly kind: "restore";
    readonly namespace: NamespaceRef;
    readonly sealed: Uint8Array;
}

export interface InspectRequest {
    readonly kind: "inspect";
    readonly namespace: NamespaceRef;
    readonly text: string;
}

/** What would become of a text, without any effect. */
export interface Inspection {
    readonly neighbours: readonly {
        readonly key: string;
        readonly similarity: number;
        readonly veto: Veto | null;
    }[];
    /** Undefined if no neighbour may be used. */
    readonly candidate:
        | {
              /** Undefined before the gate is fitted. */
              readonly expectedCosine: number | undefined;
              readonly vector: Float32Array<ArrayBuffer>;
          }
        | undefined;
}

/** Without a reply. */
export type Command =
    | { readonly kind: "forget"; readonly keys: readonly string[] }
    /** Undefined: all namespaces. */
    | { readonly kind: "drop"; readonly namespace: NamespaceId | undefined }
    | { readonly kind: "rules"; readonly rules: ConceptRules }
    /** Ends the thread. */
    | { readonly kind: "end" };

export type Question =
    LookupRequest | LessonRequest | AdoptRequest | SaveRequest | RestoreRequest | InspectRequest;

/** Replies by the kind of the question. */
export interface Replies {
    readonly "look up": readonly Answer[];
    readonly learn: readonly SealedText[];
    readonly adopt: Adopted;
    /** Undefined: there is nothing to save, or no secret. */
    readonly save: Uint8Array<ArrayBuffer> | undefined;
    /** Whether it could be read. */
    readonly restore: boolean;
    readonly inspect: Inspection | "too many tokens";
}

export type ToThread =
    | {
          readonly id: number;
          readonly question: Question;
          /** In milliseconds of `threadClock()`: a question that is not begun by then is not answered. */
          readonly deadline: number;
      }
    | { readonly id: undefined; readonly command: Command };

export interface NamespaceReport extends NamespaceState {
    readonly id: NamespaceId;
    readonly entries: number;
    readonly termPairs: readonly TermPair[];
}

export type FromThread =
    /** The model is loaded. */
    | { readonly kind: "ready"; readonly revision: string }
    | {
          readonly kind: "reply";
          readonly id: number;
          readonly reply: Replies[keyof Replies];
          /** That the thread took for this question alone. */
          readonly milliseconds: number;
      }
    /** The question was not begun by its deadline. */
    | { readonly kind: "late"; readonly id: number }
    | { readonly kind: "failed"; readonly id: number; readonly message: string }
    | { readonly kind: "reports"; readonly reports: readonly NamespaceReport[] };

/** Milliseconds of a clock that all threads share. */
export function threadClock(): number {
    return Number(process.hrtime.bigint()) / 1e6;
}
