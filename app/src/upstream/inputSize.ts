import type { Input } from "../input.ts";

/** Size of the inputs of a call or a queue. */
export interface InputSize {
    readonly items: number;
    readonly bytes: number;
}

export function inputBytes(input: Input | undefined): number {
    if (!input) return 0;
    return input.kind === "text" ? input.text.length : input.ids.length * 4;
}

export function measureInputs(inputs: readonly Input[]): InputSize {
    return {
        items: inputs.length,
        bytes: inputs.reduce((sum, input) => sum + inputBytes(input), 0),
    };
}
