import { removeTag } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "an image from anywhere",
        (one) => (one.image = `images.example.net/${removeTag(one.image).split("/").pop()}:v1.2.3`),
    ),
];
