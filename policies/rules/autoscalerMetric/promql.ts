import { parser } from "@prometheus-io/lezer-promql";

type Node = ReturnType<typeof parser.parse>["topNode"];

/** Functions whose result is not a ratio even if their argument is one. */
const ADDING = ["Sum", "Count", "Rate", "Irate", "Increase", "Delta", "Deriv"];
/** Operators whose right operand only decides whether there is a value. */
const FILTERS = ["And", "Unless", "Eql", "Neq", "Gtr", "Gte", "Lss", "Lte"];

/** @returns the names of the metrics that a query reads. */
export function metricsOf(query: string): string[] {
    const names: string[] = [];
    parser.parse(query).iterate({
        enter: ({ name, node }) => {
            const identifier = name === "VectorSelector" ? node.getChild("Identifier") : null;
            if (identifier) names.push(query.slice(identifier.from, identifier.to));
        },
    });
    return names;
}

/**
 * @returns the part of a query that makes its value a ratio: a quotient, except by a number, or a metric whose name
 *   indicates a ratio.
 */
export function ratioIn(query: string, isRatio: (metric: string) => boolean): string | undefined {
    const textOf = ({ from, to }: Node) => query.slice(from, to);
    const isNumber = (node: Node) => metricsOf(textOf(node)).length === 0;
    return within(parser.parse(query).topNode);

    function within(node: Node): string | undefined {
        const children = childrenOf(node);
        const first = children[0];
        switch (node.name) {
            case "VectorSelector":
                return metricsOf(textOf(node)).some(isRatio) ? textOf(node) : undefined;
            case "AggregateExpr":
            case "FunctionCall": {
                const by = first?.firstChild?.name ?? "";
                return ADDING.includes(by) ? undefined : among(children);
            }
            case "BinaryExpr": {
                const has = (operator: string) => children.some(({ name }) => name === operator);
                const [left, right] = [first, children.at(-1)];
                if (!left || !right) return undefined;
                if (has("Div") && !isNumber(right)) return textOf(node);
                // A ratio of an amount is an amount.
                if (has("Mul") && !isNumber(left) && !isNumber(right)) return undefined;
                return FILTERS.some(has) ? within(left) : among([left, right]);
            }
            default:
                return among(children);
        }
    }

    function among(nodes: readonly Node[]): string | undefined {
        return nodes.map(within).find((found) => found !== undefined);
    }
}

function childrenOf(node: Node): Node[] {
    const children: Node[] = [];
    for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
    return children;
}
