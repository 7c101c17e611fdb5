import { objectMutation, remove, type Draft, type RuleMutation } from "../../mutations/mutation.ts";

const weighted = ({ spec }: Draft): Draft =>
    spec.rules.find((rule: Draft) => rule.backendRefs?.length > 1);
const isWeighted = (route: Draft) => weighted(route) !== undefined;
const ROUTE = ["HTTPRoute"];
const route = (name: string, make: (refs: Draft, route: Draft) => void): RuleMutation =>
    objectMutation(ROUTE, name, (one) => make(weighted(one).backendRefs, one), isWeighted);

export const mutations: readonly RuleMutation[] = [
    route("weights of 90 and 20", (refs) => {
        refs[0].weight = 90;
        refs[1].weight = 20;
    }),
    route("half a percent", (refs) => {
        refs[0].weight = 99.5;
        refs[1].weight = 0.5;
    }),
    route("a weight that is text", (refs) => (refs[0].weight = `${refs[0].weight}`)),
    route("a weight that is not there", (refs) => delete refs[0].weight),
    route("a backend that is not there", (refs) => (refs[0].name = `${refs[0].name}-1`)),
    route("a backend's port off by one", (refs) => (refs[0].port += 1)),
    route("a backend in the other namespace", (refs) => (refs[0].namespace = refs[1].namespace)),
    route("no Gateway of that name", (_, { spec }) => (spec.parentRefs[0].name += "-1")),
    route("no listener of that name", (_, { spec }) => (spec.parentRefs[0].sectionName = "htttp")),
    objectMutation("ReferenceGrant", "no grant", remove),
    objectMutation(
        "ReferenceGrant",
        "a grant to another namespace",
        ({ spec }) => (spec.from[0].namespace += "-1"),
    ),
    objectMutation(
        "ReferenceGrant",
        "a grant of another Service",
        ({ spec }) => (spec.to[0].name += "-1"),
    ),
    objectMutation(
        "ReferenceGrant",
        "a grant to another kind",
        ({ spec }) => (spec.from[0].kind = "GRPCRoute"),
    ),
];
