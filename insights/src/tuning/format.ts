const UNITS = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
] as const;

/** A duration with two digits after the point at most, such as `2.83 d`. */
export function formatDuration(seconds: number): string {
    const [unit, name] = UNITS.find(([least]) => seconds >= least) ?? [1, "s"];
    return `${Number((seconds / unit).toFixed(2))} ${name}`;
}
