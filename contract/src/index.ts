export * from "./colours.ts";
export * from "./environment.ts";
export * from "./http.ts";
export * from "./labels.ts";
export * from "./metrics.ts";
export * from "./names.ts";
export * from "./ports.ts";
export * from "./weights.ts";
