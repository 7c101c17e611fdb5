/**
 * The autoscaler's target: misses per second per requested CPU of a pod with the local model. At most 70 % of
 * what one core sustains (`make bench ONLY=misses`, docs/scaling.md).
 */
export const MISSES_PER_CPU = 100;
