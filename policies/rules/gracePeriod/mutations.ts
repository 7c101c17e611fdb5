import { podMutation, type Draft, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    podMutation(
        "hardly more time to end than the pause takes",
        (pod) => (pod.terminationGracePeriodSeconds = 1 + pauseOf(pod)),
        (pod) => pauseOf(pod) > 0,
    ),
];

function pauseOf(pod: Draft): number {
    const pauses = pod.containers.map((one: Draft) => one.lifecycle?.preStop?.sleep?.seconds ?? 0);
    return Math.max(...(pauses as number[]));
}
