/** One thing to embed: a normalised text, or token ids of the model's own vocabulary. */
export type Input =
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "tokens"; readonly ids: readonly number[] };
