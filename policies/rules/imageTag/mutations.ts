import { removeTag } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation("the tag latest", (one) => (one.image = `${removeTag(one.image)}:latest`)),
    containerMutation("no tag", (one) => (one.image = removeTag(one.image))),
];
