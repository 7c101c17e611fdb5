import { placeRule } from "../../engine/rule.ts";
import { checkFields } from "../../kubernetes/fields.ts";

export const fields = placeRule({
    name: "fields",
    title: "Every field exists in the Kubernetes API and has a value of the right type.",
    why: "The API server drops unknown fields silently, or rejects an object after the rest of the stack has been deployed.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation",
    // In a first preview most fields come from other resources; an undecided rule would only be advisory.
    scope: "stack",
    places: checkFields,
    *check(fault) {
        if (fault) yield { ...fault, path: "" };
    },
    admissionGap: "the API server drops unknown fields before admission",
});
