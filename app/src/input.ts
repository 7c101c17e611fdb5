/** An input to embed: a normalised text, or token IDs of the model's vocabulary. */
export type Input =
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "tokens"; readonly ids: readonly number[] };
