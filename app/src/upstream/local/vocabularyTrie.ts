/** The pieces of a WordPiece vocabulary, by prefix. */
export interface VocabularyTrie {
    /** Appends the IDs of a word's longest pieces, or `unknown` if it cannot be split. */
    readonly split: (word: string, ids: number[], unknown: number) => void;
}

const NONE = -1;

/**
 * A trie in arrays, with the children of a node as a linked list. Looking up each possible piece as a string
 * would take quadratic time in the length of a word, which clients choose.
 *
 * @param prefix of pieces that continue a word
 */
export function createVocabularyTrie(
    vocabulary: Readonly<Record<string, number>>,
    prefix: string,
): VocabularyTrie {
    const units: number[] = [];
    const idAt: number[] = [];
    const firstChild: number[] = [];
    const nextSibling: number[] = [];
    /** Nodes of first characters, by character, because there are thousands. */
    const starts = new Map<number, number>();
    const continuations = new Map<number, number>();

    function createNode(unit: number, sibling: number): number {
        idAt.push(NONE);
        firstChild.push(NONE);
        nextSibling.push(sibling);
        return units.push(unit) - 1;
    }

    function childOf(node: number, unit: number): number {
        let child = firstChild[node] ?? NONE;
        while (child !== NONE && units[child] !== unit) child = nextSibling[child] ?? NONE;
        return child;
    }

    function add(roots: Map<number, number>, piece: string, id: number): void {
        let node = NONE;
        for (let at = 0; at < piece.length; at += 1) {
            const unit = piece.charCodeAt(at);
            let next = at === 0 ? (roots.get(unit) ?? NONE) : childOf(node, unit);
            if (next === NONE) {
                next = createNode(unit, at === 0 ? NONE : (firstChild[node] ?? NONE));
                if (at === 0) roots.set(unit, next);
                else firstChild[node] = next;
            }
            node = next;
        }
        if (node !== NONE) idAt[node] = id;
    }

    for (const [piece, id] of Object.entries(vocabulary)) {
        add(starts, piece, id);
        if (piece.startsWith(prefix)) add(continuations, piece.slice(prefix.length), id);
    }

    return {
        split: (word, ids, unknown) => {
            const begin = ids.length;
            for (let at = 0; at < word.length;) {
                let node = (at === 0 ? starts : continuations).get(word.charCodeAt(at)) ?? NONE;
                let longest = NONE;
                let end = at;
                while (node !== NONE) {
                    end += 1;
                    const id = idAt[node] ?? NONE;
                    if (id !== NONE) {
                        longest = id;
                        at = end;
                    }
                    node = end < word.length ? childOf(node, word.charCodeAt(end)) : NONE;
                }
                if (longest === NONE) {
                    ids.length = begin;
                    ids.push(unknown);
                    return;
                }
                ids.push(longest);
            }
        },
    };
}
