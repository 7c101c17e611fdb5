import { createCharacterTable, LETTER, REMOVED, SPACE } from "./characters.ts";
import { createVocabularyTrie } from "./vocabularyTrie.ts";

/**
 * @param mostTokens tokenisation stops after more tokens than this, with a prefix of all IDs
 * @returns the token IDs of a text, with the model's start and end tokens
 */
export type Tokenize = (text: string, maxTokens?: number) => readonly number[];

/**
 * The fields of tokenizer.json that this module uses. The pipeline is that of BERT's uncased and cased
 * models.
 */
interface Definition {
    readonly added_tokens: readonly AddedToken[];
    readonly normalizer: {
        readonly type: string;
        readonly clean_text: boolean;
        readonly handle_chinese_chars: boolean;
        readonly strip_accents: boolean | null;
        readonly lowercase: boolean;
    };
    readonly pre_tokenizer: { readonly type: string };
    readonly post_processor: {
        readonly type: string;
        readonly single: readonly { readonly SpecialToken?: { readonly id: string } }[];
        readonly special_tokens: Readonly<Record<string, { readonly ids: readonly number[] }>>;
    };
    readonly model: {
        readonly type: string;
        readonly unk_token: string;
        readonly continuing_subword_prefix: string;
        readonly max_input_chars_per_word: number;
        readonly vocab: Readonly<Record<string, number>>;
    };
}

interface AddedToken {
    readonly id: number;
    readonly content: string;
    readonly normalized: boolean;
    readonly single_word: boolean;
    readonly lstrip: boolean;
    readonly rstrip: boolean;
}

/** Supported type of each part. */
const TYPES = {
    normalizer: "BertNormalizer",
    pre_tokenizer: "BertPreTokenizer",
    post_processor: "TemplateProcessing",
    model: "WordPiece",
} as const;

/**
 * Tokenises a text in one pass with at most one buffered word, in time linear to the text up to the token
 * limit. The IDs equal those of Hugging Face's `tokenizers`, with which the model's vectors are published.
 *
 * @param definition content of tokenizer.json
 * @throws Error for a pipeline other than BERT's
 */
export function createTokenizer(definition: string): Tokenize {
    const read = JSON.parse(definition) as Definition;
    checkTypes(read);
    const { added_tokens, normalizer, post_processor, model } = read;
    const characters = createCharacterTable({
        cleans: normalizer.clean_text,
        separatesIdeographs: normalizer.handle_chinese_chars,
        stripsAccents: normalizer.strip_accents ?? normalizer.lowercase,
        lowercases: normalizer.lowercase,
    });
    const trie = createVocabularyTrie(model.vocab, model.continuing_subword_prefix);
    const unknown = model.vocab[model.unk_token] ?? NaN;
    const maxWordLength = model.max_input_chars_per_word;
    const specialStarts = new Set(added_tokens.map(({ content }) => content.codePointAt(0)));
    const [before, after] = findSpecialIds(post_processor);

    function specialAt(text: string, at: number): AddedToken | undefined {
        return added_tokens.find(({ content }) => text.startsWith(content, at));
    }

    return (text, maxTokens = Infinity) => {
        const ids = [...before];
        const max = maxTokens - after.length;
        let word = "";
        let wordLength = 0;

        function endWord(): void {
            if (wordLength > maxWordLength) ids.push(unknown);
            else if (word !== "") trie.split(word, ids, unknown);
            word = "";
            wordLength = 0;
        }

        for (let at = 0; at < text.length && ids.length <= max;) {
            const point = text.codePointAt(at) ?? 0;
            const special = specialStarts.has(point) ? specialAt(text, at) : undefined;
            if (special) {
                endWord();
                ids.push(special.id);
                at += special.content.length;
                continue;
            }
            at += point > 0xffff ? 2 : 1;
            const kind = characters.kindOf(point);
            if (kind === REMOVED) continue;
            if (kind === LETTER) {
                // A longer word is unknown, whatever follows.
                if (wordLength > maxWordLength) continue;
                const form = characters.formOf(point);
                word += form;
                wordLength += form.length === 1 ? 1 : Array.from(form).length;
                continue;
            }
            endWord();
            if (kind === SPACE) continue;
            word = characters.formOf(point);
            wordLength = 1;
            endWord();
        }
        endWord();
        ids.push(...after);
        return ids;
    };
}

/** @returns the IDs before and after those of a text */
function findSpecialIds({ single, special_tokens: marks }: Definition["post_processor"]) {
    const place = single.findIndex((part) => part.SpecialToken === undefined);
    const ids = (parts: typeof single): readonly number[] =>
        parts.flatMap(({ SpecialToken: mark }) => (mark && marks[mark.id]?.ids) ?? []);
    return [ids(single.slice(0, place)), ids(single.slice(place + 1))] as const;
}

function checkTypes(read: Definition): void {
    for (const [part, type] of Object.entries(TYPES) as [keyof typeof TYPES, string][]) {
        const actual = (read[part] as { readonly type?: unknown } | null)?.type;
        if (actual === type) continue;
        throw new Error(
            `tokenizer.json: ${part}.type is ${JSON.stringify(actual)}; allowed: ${type}`,
        );
    }
    for (const token of read.added_tokens) {
        if (!token.normalized && !token.single_word && !token.lstrip && !token.rstrip) continue;
        const words = "is normalized, single_word, lstrip or rstrip; allowed: none of them";
        throw new Error(
            `tokenizer.json: the added token ${JSON.stringify(token.content)} ${words}`,
        );
    }
}
