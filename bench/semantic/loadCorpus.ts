import { compileRules } from "../../app/src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../app/src/semantic/defaultRules.ts";
import { createCorpus, type Corpus } from "./corpus.ts";
import type { DataSet } from "./data/dataSets.ts";
import { createCachedVectors } from "./vectors/cachedVectors.ts";
import { SIGNATURE_MODEL, type EncoderModel } from "./vectors/models.ts";

/**
 * Reads both vectors of all texts from the user's cache, or encodes them.
 *
 * @param isRewritten whether signatures are those of the texts after the concept rules
 */
export async function loadCorpus(
    set: DataSet,
    model: EncoderModel,
    isRewritten: boolean,
    log: (line: string) => void,
): Promise<Corpus> {
    const { rewrite } = compileRules(DEFAULT_RULES);
    const texts = set.texts.map(({ text }) => text);
    const signed = isRewritten ? texts.map(rewrite) : texts;
    const signatures = await createCachedVectors(SIGNATURE_MODEL, log).vectorsOf(signed);
    return createCorpus(set, signatures, await createCachedVectors(model, log).vectorsOf(texts));
}
