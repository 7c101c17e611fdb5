import type { ImpactView } from "../impact/view.ts";
import { element } from "./elements.ts";
import { cards } from "./figure.ts";
import { createPlot, type Plot } from "./plots.ts";
import { answers } from "./sections/answers.ts";
import { changes } from "./sections/changes.ts";
import { money } from "./sections/money.ts";
import { quality } from "./sections/quality.ts";
import { reports } from "./sections/reports.ts";
import { settings } from "./sections/settings.ts";
import { speed } from "./sections/speed.ts";
import { traffic } from "./sections/traffic.ts";
import { unknown } from "./sections/unknown.ts";
import type { Archive, SectionContent } from "./sections/content.ts";
import { headlineOf } from "./sections/headline.ts";

/** In the order of the page. */
const SECTIONS: readonly SectionContent[] = [
    money,
    answers,
    speed,
    quality,
    traffic,
    changes,
    settings,
    reports,
    unknown,
];

export interface Sections {
    readonly update: (view: ImpactView, archive: Archive) => void;
    /** Draws the plots again, after a change of the colour scheme. */
    readonly redraw: () => void;
}

export function createSections(root: HTMLElement): Sections {
    const headline = element("div", { class: "headline" });
    const built = SECTIONS.map((content) => {
        const plots = (content.plots ?? []).map(() => createPlot());
        const title = element("h2", {}, content.title);
        const intro = element("p", { class: "intro" });
        const figures = element("div");
        const more = element("div", { class: "more" });
        const grid = element("div", { class: "plots" }, ...plots.map((plot) => plot.root));
        return {
            content,
            plots,
            parts: { title, intro, figures, more },
            section: element("section", {}, title, intro, figures, grid, more),
        };
    });
    root.append(headline, ...built.map(({ section }) => section));

    return {
        update: (view, archive) => {
            headline.replaceChildren(...headlineOf(view));
            const hasData = view.range.state !== "not measured";
            for (const { content, plots, parts, section } of built) {
                section.hidden = !hasData && content.needsData === true;
                if (section.hidden) continue;
                parts.intro.textContent = content.intro?.(view) ?? "";
                const all = content.cards?.(view) ?? [];
                parts.figures.replaceChildren(...(all.length > 0 ? [cards(...all)] : []));
                updatePlots(plots, content, view);
                const more = content.more?.(view, archive) ?? [];
                replaceUnlessFocused(parts.more, more);
            }
        },
        redraw: () => {
            for (const { plots } of built) for (const { redraw } of plots) redraw();
        },
    };
}

/** Focus within would be lost; the next update shows what has changed. */
function replaceUnlessFocused(parent: HTMLElement, children: readonly HTMLElement[]): void {
    if (parent.contains(document.activeElement)) return;
    const open = [...parent.querySelectorAll("details")].map((one) => one.open);
    parent.replaceChildren(...children);
    for (const [at, one] of [...parent.querySelectorAll("details")].entries())
        one.open = open[at] ?? false;
}

function updatePlots(plots: readonly Plot[], content: SectionContent, view: ImpactView): void {
    const { from, to } = view.series;
    const events = view.events.map(({ at, kind, text }) => ({
        ...{ kind, text },
        seconds: Date.parse(at) / 1000,
    }));
    for (const [at, plot] of plots.entries()) {
        const one = content.plots?.[at]?.(view);
        if (one) plot.update({ ...one, from, to, events });
    }
}
