import { LABELS } from "@property-search/contract";
import {
    objectMutation,
    remove,
    getPodSpec,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

const isColour = ({ metadata }: Draft) => metadata.labels?.[LABELS.colour] !== undefined;
const parity = (name: string, make: (container: Draft, pod: Draft) => void): RuleMutation =>
    objectMutation(
        "Deployment",
        name,
        (one) => make(getPodSpec(one).containers[0], getPodSpec(one)),
        isColour,
    );

export const mutations: readonly RuleMutation[] = [
    parity("another cache lifetime in one colour", ({ env }) => {
        env.find(({ name }: Draft) => name === "CACHE_TTL").value = "60";
    }),
    parity("a variable that one colour does not have", (container) => {
        container.env = container.env.filter(({ name }: Draft) => name !== "CACHE_PRECISION");
    }),
    parity(
        "more memory in one colour",
        ({ resources }) => (resources.limits.memory = resources.requests.memory = "3Gi"),
    ),
    parity(
        "a slower probe in one colour",
        ({ readinessProbe }) => (readinessProbe.periodSeconds += 1),
    ),
    parity("a volume in one colour", (_, pod) =>
        pod.volumes.push({ name: "more", emptyDir: { sizeLimit: "1Mi" } }),
    ),
    objectMutation(
        "Service",
        "another port in one colour",
        ({ spec }) => (spec.ports[0].port += 1),
        (one) => isColour(one) && one.spec.ports !== undefined,
    ),
    objectMutation(
        "ScaledObject",
        "a higher floor in one colour",
        ({ spec }) => (spec.minReplicaCount += 1),
        isColour,
    ),
    objectMutation("PodDisruptionBudget", "a budget in one colour only", remove, isColour),
];
