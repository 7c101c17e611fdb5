/** @returns the number with six digits, which take a third of the bytes in JSON, and no decision depends on more */
export function shorten(value: number): number {
    return Number(value.toPrecision(6));
}
