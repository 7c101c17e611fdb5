/**
 * Misses a second for each CPU that a pod with the local model requests, of which the autoscaler gives it
 * no more: at most seven tenths of what one core sustains (`make bench ONLY=misses`, docs/scaling.md).
 */
export const MISSES_PER_CPU = 100;
