import { removeTag } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "image-registry",
        "an image from anywhere",
        (one) => (one.image = `images.example.net/${removeTag(one.image).split("/").pop()}:v1.2.3`),
    ),
];
