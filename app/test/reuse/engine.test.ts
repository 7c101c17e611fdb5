import { beforeAll, describe, expect, test } from "@jest/globals";

import { seededRandom } from "../../../bench/shared/random.ts";
import type { Encoder } from "../../src/reuse/thread/encoder.ts";
import { createEngine } from "../../src/reuse/thread/engine.ts";
import type {
    Adopted,
    Answer,
    EngineOptions,
    Inspection,
    Question,
    SealedText,
} from "../../src/reuse/thread/messages.ts";
import { trueVector } from "../support/vectors.ts";

const DIMENSIONS = 32;
const NAMESPACE = { id: "a-32", dimensions: DIMENSIONS };
const OTHER = { id: "b-32", dimensions: DIMENSIONS };
const OPTIONS: EngineOptions = {
    maxEntries: 1_000,
    errorBudget: 0.05,
    errorBudgetScope: "per-hit",
    auditShare: 0.02,
    confidence: 0.8,
    rules: { version: 1, synonyms: [], opposites: [], places: [] },
    build: "v1",
    textSecret: "a-secret-of-more-than-32-characters-for-tests",
};

/** Texts are "wording of subject": the signature is near that of the subject. */
const encoder: Encoder = {
    dimensions: DIMENSIONS,
    revision: "r",
    encode: (texts) =>
        Promise.resolve(
            texts.map((text) => {
                const subject = trueVector(subjectOf(text), DIMENSIONS);
                const wording = trueVector(text, DIMENSIONS);
                const sum = subject.map((value, at) => value + 0.3 * (wording[at] ?? 0));
                const length = Math.hypot(...sum);
                return { signature: sum.map((value) => value / length), tokens: 3 };
            }),
        ),
};

function subjectOf(text: string): string {
    return text.split(" of ")[1] ?? text;
}

/** The upstream's vectors depend on the subject alone, so that all wordings can be answered. */
const truthOf = (text: string): Float32Array<ArrayBuffer> =>
    trueVector(`upstream ${subjectOf(text)}`, DIMENSIONS);

const withVector = (one: SealedText) => ({
    ...one,
    vector: truthOf(one.key),
    usableUntil: LIFETIME,
});

const WORDS = "abcdefghijklmnopqrstuvwxyz";
const SUBJECTS = 12;
const LIFETIME = 1_000;

function create(options: Partial<EngineOptions> = {}) {
    let now = 0;
    const engine = createEngine(encoder, { ...OPTIONS, ...options }, seededRandom(1), () => now);
    let ticket = 0;
    let texts = 0;
    const lookUp = async (text: string, namespace = NAMESPACE) => {
        ticket += 1;
        const [answer] = (await engine.answer({
            kind: "look up",
            namespace,
            texts: [{ text, ticket }],
            exactHits: 0,
        })) as readonly Answer[];
        if (!answer) throw new Error("no answer");
        return { answer, ticket };
    };
    /** Sends a text like a client: it is paid for unless it is answered. */
    const send = async (text: string, namespace = NAMESPACE, vector = truthOf(text)) => {
        const { answer, ticket: own } = await lookUp(text, namespace);
        const sealed =
            answer.outcome === "served"
                ? []
                : ((await engine.answer({
                      kind: "learn",
                      namespace,
                      lessons: [{ ticket: own, key: text, vector, usableUntil: now + LIFETIME }],
                  })) as readonly SealedText[]);
        return { answer, sealed };
    };
    const newText = (): string => {
        texts += 1;
        const word = (at: number): string => WORDS.charAt(at % WORDS.length);
        return `wording ${word(texts)}${word(Math.floor(texts / 26))} of ${word(texts % SUBJECTS)}subject`;
    };
    const sendMany = async (count: number, namespace = NAMESPACE) => {
        const all = [];
        for (let at = 0; at < count; at += 1) all.push(await send(newText(), namespace));
        return all;
    };
    const stateOf = (id = NAMESPACE.id) => engine.reports().find((one) => one.id === id);
    const pass = (milliseconds: number) => {
        now += milliseconds;
    };
    return { engine, lookUp, send, sendMany, newText, stateOf, pass };
}

/** A pod that has learned enough to answer, for tests that change nothing of its namespace. */
const serving = create();
let sent: Awaited<ReturnType<typeof serving.sendMany>>;

beforeAll(async () => {
    sent = await serving.sendMany(700);
});

describe("a namespace", () => {
    test("predicts a text that it knows from its own vector, even if no other text has a similar one", async () => {
        const { engine, send, sendMany } = create();
        // Too few for an answer, which would not be learned.
        await sendMany(30);
        const text = "another wording of asubject";
        const own = trueVector("a vector of its own", DIMENSIONS);
        const inspect = async (): Promise<number> => {
            const question = { kind: "inspect", namespace: NAMESPACE, text } as const;
            const { candidate } = (await engine.answer(question)) as Inspection;
            return (candidate?.vector ?? own).reduce(
                (sum, one, at) => sum + one * (own[at] ?? 0),
                0,
            );
        };
        expect(await inspect()).toBeLessThan(0.7);
        const { answer } = await send(text, NAMESPACE, own);
        expect(answer.outcome).not.toBe("served");

        expect(await inspect()).toBeGreaterThan(0.99);
    });

    test("counts the terms by which audited texts differ from those that they are answered from", async () => {
        const { send, stateOf } = create();
        const name = (at: number) => `subject${at}`;
        let audited = 0;
        for (let at = 0; at < 400; at += 1) {
            await send(`flat of ${name(at)}`);
            const { answer } = await send(`apartment of ${name(at)}`);
            if (answer.outcome === "audited") audited += 1;
        }
        const { termPairs = [] } = stateOf() ?? {};
        expect(termPairs).toMatchObject([{ terms: ["apartment", "flat"] }]);
        const { right = NaN, wrong = NaN } = termPairs[0] ?? {};
        expect(right + wrong).toBe(audited);
        expect(audited).toBeGreaterThanOrEqual(20);
        // An answer may be wrong: its cosine is not always as large as a calibrated ρ.
        expect(wrong / audited).toBeLessThanOrEqual(2 * OPTIONS.errorBudget);
    });

    test("rejects texts while it learns, then answers many of them, and audits some", () => {
        expect(sent.slice(0, 20).some(({ answer }) => answer.outcome === "served")).toBe(false);
        const outcomes = new Set(sent.map(({ answer }) => answer.outcome));
        expect(outcomes).toContain("served");
        expect(outcomes).toContain("audited");
        expect(serving.stateOf()?.state).toBe("serving");
        const last = sent.slice(-100).map(({ answer }) => answer);
        const served = last.flatMap((one) => (one.outcome === "served" ? one : []));
        // An overlap of 0.8 takes a cosine that only some of the answers have.
        expect(served.length).toBeGreaterThan(20);
        for (const { errorBound, similarity, tokens } of served) {
            expect(errorBound).toBeLessThan(1);
            expect(similarity).toBeGreaterThan(0.5);
            expect(tokens).toBe(3);
        }
    });

    test("shares nothing with another one", async () => {
        const { answer } = await serving.lookUp(serving.newText(), OTHER);
        expect(answer.outcome).toBe("no_neighbour");
        expect(serving.stateOf(OTHER.id)).toMatchObject({ entries: 0, state: "learning" });
    });

    test("has the texts of its tenant within the bound of all; the largest gives way", async () => {
        const { sendMany, stateOf } = create({ maxEntries: 100 });
        await sendMany(120);
        await sendMany(40, OTHER);
        expect((stateOf()?.entries ?? 0) + (stateOf(OTHER.id)?.entries ?? 0)).toBe(100);
        expect(stateOf(OTHER.id)?.entries).toBe(40);
    });

    test("ignores vectors that are not of length 1, and those of another length", async () => {
        const { send, stateOf } = create();
        const long = truthOf("a of b").map((value) => 2 * value);
        expect((await send("a of b", NAMESPACE, long)).sealed).toEqual([]);
        expect((await send("a of c", NAMESPACE, trueVector("x", 8))).sealed).toEqual([]);
        expect(stateOf()?.entries).toBe(0);
    });

    test("forgets a text, and all of them", async () => {
        const { engine, send, lookUp, stateOf } = create();
        await send("one of a");
        await send("two of b");
        engine.obey({ kind: "forget", keys: ["one of a", "unknown"] });
        expect(stateOf()?.entries).toBe(1);
        engine.obey({ kind: "drop", namespace: NAMESPACE.id });
        expect(stateOf()).toBeUndefined();
        expect((await lookUp("three of a")).answer.outcome).toBe("no_neighbour");
    });
});

describe("texts of another process", () => {
    test("are adopted once with their gate, and no evidence about the error", async () => {
        const sealed = sent.slice(0, 300).flatMap((one) => one.sealed);
        const pod = create();
        const texts = sealed.map(withVector);
        for (let run = 0; run < 2; run += 1)
            expect(await pod.engine.answer({ kind: "adopt", namespace: NAMESPACE, texts })).toEqual(
                { unreadable: [] } satisfies Adopted,
            );
        expect(pod.stateOf()).toMatchObject({
            entries: sealed.length,
            state: "learning",
            labelled: 0,
            requests: 0,
        });
        expect(pod.stateOf()?.labels).toBeGreaterThan(60);
        for (let at = 0; at < 300; at += 1) await pod.send(serving.newText());
        expect(pod.stateOf()?.state).toBe("serving");
    });

    test("of another tenant or another secret are not read", async () => {
        const { send } = create();
        const { sealed } = await send("one of a");
        const texts = sealed.map(withVector);
        const expected = { unreadable: ["one of a"] };
        const adopt = { kind: "adopt", texts } as const;
        const pod = create();
        expect(await pod.engine.answer({ ...adopt, namespace: OTHER })).toEqual(expected);
        const rotated = create({ textSecret: "another-secret-of-more-than-32-characters" });
        expect(await rotated.engine.answer({ ...adopt, namespace: NAMESPACE })).toEqual(expected);
    });

    test("with signatures of another model get their own, so that both versions share them", async () => {
        const { sealed } = await create().send("one of a");
        let computed = 0;
        const newer = createEngine(
            {
                ...encoder,
                revision: "s",
                encode: async (texts) => {
                    computed += texts.length;
                    return (await encoder.encode(texts)).map(
                        (one) => one && { ...one, signature: one.signature.toReversed() },
                    );
                },
            },
            OPTIONS,
            seededRandom(1),
            () => 0,
        );
        const texts = sealed.map(withVector);
        const adopt = { kind: "adopt", namespace: NAMESPACE, texts } as const;
        expect(await newer.answer(adopt)).toEqual({ unreadable: [] } satisfies Adopted);
        expect(computed).toBe(1);
        const inspect = { kind: "inspect", namespace: NAMESPACE, text: "one of a" } as const;
        const { neighbours } = (await newer.answer(inspect)) as Inspection;
        expect(neighbours).toMatchObject([{ key: "one of a" }]);
        expect(neighbours[0]?.similarity).toBeCloseTo(1, 4);
    });
});

describe("what was learned", () => {
    const save = { kind: "save", namespace: NAMESPACE } as const;
    const restoreIn = async (
        { engine }: ReturnType<typeof create>,
        sealed: Uint8Array,
        namespace = NAMESPACE,
    ) => engine.answer({ kind: "restore", namespace, sealed });

    let texts: readonly ReturnType<typeof withVector>[];
    let sealed: Uint8Array;

    beforeAll(async () => {
        texts = sent.flatMap((one) => one.sealed).map(withVector);
        sealed = (await serving.engine.answer(save)) as Uint8Array;
    });

    test("continues in another thread, whose first answers are audited", async () => {
        const pod = create();
        await pod.engine.answer({ kind: "adopt", namespace: NAMESPACE, texts });
        expect(pod.stateOf()).toMatchObject({ state: "learning", labelled: 0 });
        expect(await restoreIn(pod, sealed)).toBe(true);
        const { state, labelled, wrong, minScore, minCosine, labels, answerBound } =
            serving.stateOf() ?? {};
        expect(state).toBe("serving");
        expect(pod.stateOf()).toMatchObject({
            ...{ state, labelled, wrong, minScore, minCosine, labels, answerBound },
            ...{ served: 0, requests: 0 },
        });
        const outcomes = [];
        for (let at = 0; at < 60; at += 1)
            outcomes.push((await pod.send(pod.newText())).answer.outcome);
        const answered = outcomes.filter((one) => one === "served" || one === "audited");
        expect(answered[0]).toBe("audited");
        expect(answered).toContain("served");
    });

    test("is not used by another tenant, build, version of signatures or secret", async () => {
        const secret = "another-secret-of-more-than-32-characters";
        for (const pod of [create({ build: "other" }), create({ textSecret: secret })]) {
            expect(await restoreIn(pod, sealed)).toBe(false);
            expect(pod.stateOf()).toBeUndefined();
        }
        expect(await restoreIn(create(), sealed, OTHER)).toBe(false);
        const newer = createEngine({ ...encoder, revision: "s" }, OPTIONS);
        expect(await newer.answer({ kind: "restore", namespace: NAMESPACE, sealed })).toBe(false);
    });

    test("is not saved without a namespace or without a secret", async () => {
        expect(await create().engine.answer(save)).toBeUndefined();
        const open = create({ textSecret: undefined });
        await open.send("one of a");
        expect(await open.engine.answer(save)).toBeUndefined();
    });
});

describe("a wrong vector", () => {
    const TEXTS = 60;
    const wrong = trueVector("wrong", DIMENSIONS);

    /** Sends the same texts, a wrong one among them if it is given, and forgets it and one of the others. */
    async function answerAfter(options: {
        readonly wrongAt?: number;
        readonly maxEntries?: number;
        readonly expires?: boolean;
        readonly forgets?: boolean;
    }): Promise<Float32Array> {
        const { wrongAt, maxEntries = 1_000, expires = false, forgets = true } = options;
        const pod = create({ maxEntries });
        for (let at = 0; at < TEXTS; at += 1) {
            if (at === wrongAt) await pod.send("wrong of asubject", NAMESPACE, wrong);
            if (expires && at === TEXTS - 20) pod.pass(LIFETIME);
            await pod.send(pod.newText());
        }
        if (expires) pod.engine.removeExpired();
        const keys = forgets ? ["wrong of asubject", "wording dc of hsubject"] : [];
        pod.engine.obey({ kind: "forget", keys });
        const text = "another of asubject";
        const inspect = { kind: "inspect", namespace: NAMESPACE, text } as const;
        const { candidate } = (await pod.engine.answer(inspect)) as Inspection;
        if (!candidate) throw new Error("no candidate");
        return candidate.vector;
    }

    const distance = (a: Float32Array, b: Float32Array): number =>
        Math.hypot(...a.map((value, at) => value - (b[at] ?? NaN)));

    test("changes the map, and no longer does when it is forgotten", async () => {
        const without = await answerAfter({});
        const kept = await answerAfter({ wrongAt: 10, forgets: false });
        expect(distance(kept, without)).toBeGreaterThan(0.001);
        expect(distance(await answerAfter({ wrongAt: 10 }), without)).toBeLessThan(1e-4);
    });

    test("is forgotten, too, if its text has left the index already", async () => {
        for (const [other, wrongAt] of [
            [{ maxEntries: 40 }, 5],
            [{ expires: true }, 5],
            [{ expires: true }, TEXTS - 21],
        ] as const) {
            const without = await answerAfter(other);
            const found = await answerAfter({ ...other, wrongAt });
            expect(distance(found, without)).toBeLessThan(1e-4);
        }
    });
});

describe("a text whose entry has ended", () => {
    const neighboursOf = async ({ engine }: ReturnType<typeof create>, text: string) => {
        const question = { kind: "inspect", namespace: NAMESPACE, text } as const;
        return ((await engine.answer(question)) as Inspection).neighbours.map(({ key }) => key);
    };

    test("is no neighbour, not even of itself, and is removed", async () => {
        const pod = create();
        await pod.send("one of a");
        pod.pass(LIFETIME / 2);
        await pod.send("two of a");
        pod.pass(LIFETIME / 2 - 1);
        expect(await neighboursOf(pod, "one of a")).toEqual(["one of a", "two of a"]);
        pod.pass(1);
        expect(await neighboursOf(pod, "one of a")).toEqual(["two of a"]);
        pod.pass(LIFETIME);
        pod.engine.removeExpired();
        expect(pod.stateOf()?.entries).toBe(0);
    });

    test("is not answered by a namespace that serves", async () => {
        const pod = create();
        await pod.sendMany(500);
        expect(pod.stateOf()?.state).toBe("serving");
        pod.pass(LIFETIME);
        expect((await pod.send("wording aa of bsubject")).answer.outcome).toBe("no_neighbour");
    });

    test("is not adopted, and is no neighbour after it was", async () => {
        const { sealed } = await create().send("one of a");
        const question = { kind: "adopt", namespace: NAMESPACE, texts: sealed.map(withVector) };
        const pod = create();
        pod.pass(LIFETIME - 1);
        await pod.engine.answer(question as Question);
        expect(await neighboursOf(pod, "one of a")).toEqual(["one of a"]);
        pod.pass(1);
        expect(await neighboursOf(pod, "one of a")).toEqual([]);
        await pod.engine.answer(question as Question);
        expect(pod.stateOf()?.entries).toBe(0);
    });
});

test("a text that is too long for the model in time is not applicable, and the others are answered", async () => {
    const engine = createEngine(
        {
            ...encoder,
            encode: async (texts) =>
                (await encoder.encode(texts)).map((one, at) => (at === 1 ? undefined : one)),
        },
        OPTIONS,
    );
    const texts = ["one of a", "long of a", "two of a"].map((text, ticket) => ({ text, ticket }));
    const question = { kind: "look up", namespace: NAMESPACE, texts, exactHits: 0 } as const;
    const outcomes = ((await engine.answer(question)) as readonly Answer[]).map(
        ({ outcome }) => outcome,
    );
    expect(outcomes).toEqual(["no_neighbour", "not_applicable", "no_neighbour"]);
});

test("new concept rules apply to texts that are kept, too", async () => {
    const { engine, send, stateOf } = create();
    await send("rent of b");
    const vetoOf = async (text: string) =>
        ((await engine.answer({ kind: "inspect", namespace: NAMESPACE, text })) as Inspection)
            .neighbours[0]?.veto;
    expect(await vetoOf("buy of b")).not.toBe("opposites");
    const rules = { version: 2, synonyms: [], opposites: [["rent", "buy"]], places: [] };
    engine.obey({ kind: "rules", rules });
    expect(await vetoOf("buy of b")).toBe("opposites");
    expect(stateOf()).toMatchObject({ entries: 1, requests: 1 });
});
