import { isLaterCharacter } from "./laterCharacters.ts";

/** Effect of a character when a text is split into words. */
export const REMOVED = 1;
export const SPACE = 2;
export const LETTER = 3;
/** A word of its own: punctuation or an ideograph. */
export const ALONE = 4;

export type CharacterKind = typeof REMOVED | typeof SPACE | typeof LETTER | typeof ALONE;

/** Options of BERT's normalizer. */
export interface CharacterOptions {
    readonly cleans: boolean;
    readonly separatesIdeographs: boolean;
    readonly stripsAccents: boolean;
    readonly lowercases: boolean;
}

/** Kinds and normal forms of characters, by code point. */
export interface CharacterTable {
    readonly kindOf: (point: number) => CharacterKind;
    /**
     * Without accents and in lower case, depending on the options; undefined behaviour for removed
     * characters.
     */
    readonly formOf: (point: number) => string;
}

const CODE_POINTS = 0x110000;
/** Characters whose kind changed after Unicode 8, the version of the reference's tables. */
const EARLIER_KINDS: ReadonlyMap<number, CharacterKind> = new Map([
    [0x166d, ALONE],
    [0x1734, REMOVED],
    [0x111c9, ALONE],
    [0x1171e, REMOVED],
]);
const IDEOGRAPHS = [
    [0x4e00, 0x9fff],
    [0x3400, 0x4dbf],
    [0x20000, 0x2a6df],
    [0x2a700, 0x2b73f],
    [0x2b740, 0x2b81f],
    [0x2b920, 0x2ceaf],
    [0xf900, 0xfaff],
    [0x2f800, 0x2fa1f],
] as const;
const PUNCTUATION = /^[!-/:-@[-`{-~\p{P}]$/u;
const CONTROLS = /[\p{Cc}\p{Cf}\p{Co}]/u;
const ACCENTS = /\p{Mn}/gu;

/** Classifies each character once; there are at most 1.1 million. */
export function createCharacterTable(options: CharacterOptions): CharacterTable {
    const kinds = new Uint8Array(CODE_POINTS);
    /** Forms that differ from their character. */
    const forms = new Map<number, string>();

    function read(point: number): CharacterKind {
        const character = String.fromCodePoint(point);
        const kind = kindOf(point, character);
        kinds[point] = kind;
        return kind;
    }

    function kindOf(point: number, character: string): CharacterKind {
        const earlier = EARLIER_KINDS.get(point);
        if (earlier !== undefined) return earlier;
        if (isLaterCharacter(point)) return LETTER;
        if (options.cleans && isRemoved(point, character)) return REMOVED;
        if (/\s/u.test(character)) return SPACE;
        const form = normalForm(character, options);
        if (form === "") return REMOVED;
        if (form !== character) forms.set(point, form);
        if (options.separatesIdeographs && isIdeograph(point)) return ALONE;
        return PUNCTUATION.test(form) ? ALONE : LETTER;
    }

    return {
        kindOf: (point) => (kinds[point] as CharacterKind | 0) || read(point),
        formOf: (point) => forms.get(point) ?? String.fromCodePoint(point),
    };
}

/** Control characters and similar, except whitespace. */
function isRemoved(point: number, character: string): boolean {
    if (character === "\t" || character === "\n" || character === "\r") return false;
    return point === 0 || point === 0xfffd || CONTROLS.test(character);
}

function normalForm(character: string, options: CharacterOptions): string {
    const stripped = options.stripsAccents
        ? character.normalize("NFD").replace(ACCENTS, "")
        : character;
    // An isolated sigma is never a final sigma.
    return options.lowercases ? stripped.toLowerCase() : stripped;
}

function isIdeograph(point: number): boolean {
    return IDEOGRAPHS.some(([first, last]) => point >= first && point <= last);
}
