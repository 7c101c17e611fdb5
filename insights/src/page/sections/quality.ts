import type { ImpactView } from "../../impact/view.ts";
import { formatCount, formatPercent } from "../../report/format.ts";
import { isKnown, plural } from "../words.ts";
import { figure, line, type SectionContent } from "./content.ts";

const verdicts = ({ relevant, irrelevant }: ImpactView["feedback"]): number =>
    (relevant ?? 0) + (irrelevant ?? 0);

export const quality: SectionContent = {
    title: "Quality",
    needsData: true,
    intro: () =>
        "Answers from memory and Redis are exact copies. Only predicted (semantic) answers can differ from computed ones, so relevance is measured for them.",
    cards: ({ feedback, semantic }) => [
        figure(
            "Satisfaction",
            feedback.share,
            formatPercent,
            `of ${plural(verdicts(feedback), "verdict")} said “relevant”`,
            isKnown(feedback.relevant)
                ? "no feedback was given in this time"
                : "the service does not count feedback",
        ),
        figure(
            "Satisfaction with semantic answers",
            semantic.feedback.share,
            formatPercent,
            `of ${plural(verdicts(semantic.feedback), "verdict")} said “relevant”`,
            isKnown(semantic.feedback.relevant)
                ? "no feedback about them in this time"
                : "the service does not count feedback about them",
        ),
        figure(
            "Relevance of semantic answers",
            semantic.overlap,
            formatPercent,
            `of the ten nearest documents are those of a computed answer (overlap@10); ${formatCount(semantic.answers)} such answers`,
            "overlap@10 is not exported by the pods",
        ),
        figure(
            "Wrong semantic answers",
            semantic.errorBound,
            (value) => (value === null ? "not measured" : `at most ${formatPercent(value)}`),
            `at 95 % confidence; allowed: ${formatPercent(semantic.errorBudget)}; from ${plural(semantic.audits ?? 0, "audit")}`,
            "semantic reuse is off, or has not answered yet",
        ),
    ],
    plots: [
        (view) => ({
            title: "Satisfaction",
            note: "Share of the verdicts that said “relevant”",
            lines: [line(view, "relevantShare", "Relevant", 3)],
            format: formatPercent,
            max: 1,
        }),
    ],
};
