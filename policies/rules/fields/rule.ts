import { placeRule } from "../../engine/rule.ts";
import { fieldsOf } from "../../kubernetes/fields.ts";

export const fields = placeRule({
    name: "fields",
    title: "Every field is one that the API has, with a value of its type.",
    why: "What the API does not know is left out without a word, or refused only when the rest of the stack is there already.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation",
    // Most of what an object has is of others in a first preview: the rest of a rule would be advice.
    scope: "stack",
    places: fieldsOf,
    *check(fault) {
        if (fault) yield { ...fault, at: "" };
    },
    unsaid: "since the API server has left out by then what it does not know",
});
