import { wallClock } from "../../clock.ts";
import { compileRules, type CompiledRules } from "../../semantic/conceptRules.ts";
import type { SavedNamespace } from "../../semantic/namespace.ts";
import type { Encoder } from "./encoder.ts";
import type {
    Answer,
    Command,
    EngineOptions,
    NamespaceId,
    NamespaceRef,
    NamespaceReport,
    Question,
    Replies,
    RestoreRequest,
    SealedText,
} from "./messages.ts";
import { createTextSealing } from "./sealing.ts";
import { createSpace, type Space } from "./space.ts";

/** Answers the questions of the main thread, one at a time. The caller limits the number of namespaces. */
export interface Engine {
    /** @throws Error if the model fails */
    readonly answer: (question: Question) => Promise<Replies[Question["kind"]]>;
    readonly obey: (command: Exclude<Command, { kind: "end" }>) => void;
    readonly reports: () => readonly NamespaceReport[];
    /** Removes texts whose entries have expired. Regularly, so that texts of idle tenants are removed, too. */
    readonly removeExpired: () => void;
}

/** Of what is saved: a state of another format does not open. The first one had no number. */
const STATE_FORMAT = 2;
/** Bound of all vectors and signatures, in addition to the number of entries. */
const MAX_BYTES = 512 * 1024 * 1024;

/** @param random in [0, 1) @param now in milliseconds */
export function createEngine(
    encoder: Encoder,
    options: EngineOptions,
    random = Math.random,
    now = wallClock,
): Engine {
    const { errorBudget, errorBudgetScope, auditShare, confidence, textSecret } = options;
    const { dimensions: signatureDimensions, revision } = encoder;
    const spaces = new Map<NamespaceId, Space>();
    const sealing = textSecret === undefined ? undefined : createTextSealing(textSecret, revision);
    let rules: CompiledRules = compileRules(options.rules);

    function spaceOf({ id, dimensions }: NamespaceRef): Space {
        const known = spaces.get(id);
        if (known) return known;
        const space = createSpace({
            dimensions,
            signatureDimensions,
            mode: errorBudgetScope,
            budget: errorBudget,
            auditShare,
            confidence,
            capacity: maxEntries(dimensions),
            rules: () => rules,
            random,
            now,
        });
        spaces.set(id, space);
        return space;
    }

    function maxEntries(dimensions: number): number {
        return Math.min(options.maxEntries, Math.floor(MAX_BYTES / bytesOf(dimensions)));
    }

    function bytesOf(dimensions: number): number {
        const { BYTES_PER_ELEMENT: perNumber } = Float32Array;
        return signatureDimensions * perNumber + dimensions * Float16Array.BYTES_PER_ELEMENT;
    }

    /** The largest namespace loses its least recently used texts. */
    function enforceBounds(): void {
        for (;;) {
            const all = [...spaces.values()];
            const entries = all.reduce((sum, { index }) => sum + index.size(), 0);
            const bytes = all.reduce(
                (sum, { index, dimensions }) => sum + index.size() * bytesOf(dimensions),
                0,
            );
            if (entries <= options.maxEntries && bytes <= MAX_BYTES) return;
            const { index } = all.reduce((a, b) => (b.index.size() > a.index.size() ? b : a));
            const [oldest] = index.keys();
            if (oldest === undefined) return;
            index.remove(oldest);
        }
    }

    /** A record opens under its own namespace and key only. */
    function contextOf(id: NamespaceId, key: string): string {
        return [id, key].join("\n");
    }

    function stateContextOf(id: NamespaceId): string {
        return ["state", STATE_FORMAT, options.build, id].join("\n");
    }

    function restore({ namespace, sealed }: RestoreRequest): boolean {
        const saved = sealing?.openState(sealed, stateContextOf(namespace.id));
        // Only a process of this build with this secret can have sealed it.
        if (saved) spaceOf(namespace).restore(saved as SavedNamespace);
        return saved !== undefined;
    }

    async function lookUp(
        question: Extract<Question, { kind: "look up" }>,
    ): Promise<readonly Answer[]> {
        const { namespace, texts, exactHits } = question;
        const space = spaceOf(namespace);
        for (let hit = 0; hit < exactHits; hit += 1) space.onExact();
        const encoded = await encoder.encode(texts.map(({ text }) => text));
        return texts.map(({ text, ticket }, at) => {
            const one = encoded[at];
            return one ? space.answer(text, one, ticket) : { outcome: "not_applicable" };
        });
    }

    function learn({
        namespace,
        lessons,
    }: Extract<Question, { kind: "learn" }>): readonly SealedText[] {
        // Its entries may have been invalidated since the lookup.
        const space = spaces.get(namespace.id);
        const records = lessons.flatMap((lesson) => {
            const record = space?.learn(lesson);
            return record ? [{ key: lesson.key, record }] : [];
        });
        enforceBounds();
        if (!sealing) return [];
        return records.map(({ key, record }) => ({
            key,
            sealed: sealing.seal(record, contextOf(namespace.id, key)),
        }));
    }

    async function adopt({
        namespace,
        texts,
    }: Extract<Question, { kind: "adopt" }>): Promise<Replies["adopt"]> {
        const space = spaceOf(namespace);
        const unreadable: string[] = [];
        for (const { sealed, ...lesson } of texts) {
            const record = sealing?.open(sealed, contextOf(namespace.id, lesson.key));
            if (!record) unreadable.push(lesson.key);
            const signature = record && (record.signature ?? (await signatureOf(record.text)));
            if (signature) space.adopt({ ...record, signature }, lesson);
        }
        enforceBounds();
        return { unreadable };
    }

    async function signatureOf(text: string): Promise<Float32Array | undefined> {
        const [encoded] = await encoder.encode([text]);
        return encoded?.signature;
    }

    return {
        answer: async (question) => {
            switch (question.kind) {
                case "look up":
                    return lookUp(question);
                case "learn":
                    return learn(question);
                case "adopt":
                    return adopt(question);
                case "save": {
                    const { id } = question.namespace;
                    const saved = spaces.get(id)?.save();
                    return saved && sealing?.sealState(saved, stateContextOf(id));
                }
                case "restore":
                    return restore(question);
                case "inspect": {
                    const [encoded] = await encoder.encode([question.text]);
                    const space = spaces.get(question.namespace.id);
                    if (!encoded) return "too many tokens";
                    return space
                        ? space.inspect(question.text, encoded)
                        : { neighbours: [], candidate: undefined };
                }
            }
        },
        obey: (command) => {
            switch (command.kind) {
                case "forget":
                    for (const { forget } of spaces.values()) command.keys.forEach(forget);
                    return;
                case "drop":
                    if (command.namespace === undefined) spaces.clear();
                    else spaces.delete(command.namespace);
                    return;
                case "rules":
                    rules = compileRules(command.rules);
            }
        },
        removeExpired: () => {
            for (const space of spaces.values()) space.removeExpired();
        },
        reports: () =>
            Array.from(spaces, ([id, { index, state, termPairs }]) => ({
                id,
                entries: index.size(),
                termPairs: termPairs(),
                ...state(),
            })),
    };
}
