export * from "./kinds.ts";
export * from "./memory.ts";
export * from "./read.ts";
export * from "./service.ts";
export * from "./setting.ts";
