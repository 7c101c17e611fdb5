"""Writes what Hugging Face's tokenizers makes of a corpus of all scripts, for app/test/upstream/tokenizer.integration.test.ts.

    pip install tokenizers==0.22.1
    python3 app/test/support/tokenizerReference.py MODEL_DIR/tokenizer.json > app/test/support/tokenizerReference.json
"""

import base64
import hashlib
import json
import random
import sys
import unicodedata

from tokenizers import Tokenizer

TEXTS = [
    "Two rooms near the old station, 3.5 km from the centre; €1,200 a month!",
    "ΟΔΥΣΣΕΥΣ ὈΔΥΣΣΕΎΣ ΣΑΣ Σ ΑΣ. ΑΣ΄Α",
    "İstanbul'da IŞIK ığdır Iı",
    "Straße STRASSE ẞ ﬁne ﬃ Ǆ ǅ ǆ",
    "cafe\u0301 CAFÉ Ångström A\u030angstro\u0308m naïve",
    "漢字かな交じり文、東京都の部屋。ｶﾀｶﾅ ＦＵＬＬ",
    "𠀀𪜀𫝀𫠠𬺰𰀀 \uf900\U0002f800豈更",
    "한국어 방 두 개 \u1112\u1161\u11ab 각\u302e",
    "ไทย ห้องสองห้อง ลาว ຫ້ອງ ខ្មែរ မြန်မာ",
    "हिन्दी दो कमरे क\u093c ड़ বাংলা দুটি ঘর தமிழ் అమ్మ ಕನ್ನಡ മലയാളം",
    "שלום חֲדָרִים العربية غُرْفَتَان ‏مرحبا‎ ﷺ ﻼ",
    "Ђорђе Ёлка Й и\u0306 Ѝ ҐЄІЇ қазақ",
    "🏠🏡 👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ ☎︎ 1️⃣ \U0001f9ff\U0001fae0",
    "𝒜𝓁𝑔𝑒𝒷𝓇𝒶 𝔄 Ⅷ ⅷ ① ½ ² ℌ K Å Ω",
    "zero\u200bwidth\u200cnon\u200djoiner soft\u00adhyphen \ufeffbom word\u2060joiner",
    "controls \u0001\u001f\u007f\u0085\u009f \u061c \u2066x\u2069 \U000e0041",
    "spaces \u00a0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000end\ttab\nline\r\x0bvt\x0cff",
    "private \ue000 \U000f0000 unassigned \u0378 \U000e0fff noncharacter \ufffe \ufffd",
    "≠ ≮ \u037e \u1fef \u0387 \u2260 ʹ ´ ῭",
    "don't -- wait… “quoted” «x» ‹y› 、。！？ ‽ ⸮ ·",
    "symbols + < = > ^ ` | ~ $ © ® ™ § ¶ † • ° ¬ ¦",
    "a" * 99 + " " + "b" * 100 + " " + "c" * 101 + " é" + "é" * 99 + " " + "\u0301".join("d" * 101),
    "𝒶" * 100 + " " + "𝒶" * 101,
    "한" * 33 + " " + "한" * 34,
    "[CLS] [SEP]x[MASK][PAD]y [UNK] [cls] [ SEP ] [[SEP]] [MAS K]",
    "unaffable embeddings tokenization supercalifragilisticexpialidocious ##ing # ## ing",
    "\u0301leading mark \u0301 alone e\u0301\u0316\u0315\u0300 \u0e33 \u0eb3",
    "",
    " ",
    "\u0301",
    "\u0000",
]


def blocks_of_letters():
    """Characters by the first word of their name, which is the script's for letters."""
    scripts = {}
    for point in range(0x110000):
        character = chr(point)
        name = unicodedata.name(character, "")
        if name:
            scripts.setdefault(name.split()[0], []).append(character)
    return [letters for _, letters in sorted(scripts.items()) if len(letters) >= 10]


def random_texts(count):
    source = random.Random(18)
    scripts = blocks_of_letters()
    common = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-'"
    for at in range(count):
        words = []
        for _ in range(source.randint(2, 7)):
            letters = source.choice([scripts[at % len(scripts)], source.choice(scripts), common])
            word = [source.choice(letters) for _ in range(source.randint(1, 8))]
            if source.random() < 0.3:
                word.insert(source.randint(0, len(word)), chr(source.randint(0x300, 0x36F)))
            words.append("".join(word))
        yield " ".join(words)


def digest_of_block(tokenizer, first):
    """Of 256 characters, each within a word and alone."""
    points = [p for p in range(first, first + 256) if not 0xD800 <= p <= 0xDFFF]
    if not points:
        return bytes(4)
    encoded = tokenizer.encode_batch([f"a{chr(p)}b {chr(p)}" for p in points])
    text = "\n".join(",".join(map(str, one.ids)) for one in encoded)
    return hashlib.sha256(text.encode()).digest()[:4]


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = [*TEXTS, *random_texts(600)]
    digests = b"".join(digest_of_block(tokenizer, first) for first in range(0, 0x110000, 256))
    cases = [[text, tokenizer.encode(text).ids] for text in texts]
    body = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    print(f'{{"blocks":"{base64.b64encode(digests).decode()}",\n"texts":[\n{body}\n]}}')


main()
