import { removeTag } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "image-tag",
        "the tag latest",
        (one) => (one.image = `${removeTag(one.image)}:latest`),
    ),
    containerMutation("image-tag", "no tag", (one) => (one.image = removeTag(one.image))),
];
