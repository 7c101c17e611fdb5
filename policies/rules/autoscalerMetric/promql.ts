import { parser } from "@prometheus-io/lezer-promql";

type Node = ReturnType<typeof parser.parse>["topNode"];

/** Functions whose result is not a ratio even if their argument is one. */
const ADDITIVE = ["Sum", "Count", "Rate", "Irate", "Increase", "Delta", "Deriv"];
/** Operators whose right operand only decides whether there is a value. */
const FILTERS = ["And", "Unless", "Eql", "Neq", "Gtr", "Gte", "Lss", "Lte"];

/** @returns the names of the metrics that a query reads. */
export function listMetrics(query: string): string[] {
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
export function findRatio(query: string, isRatio: (metric: string) => boolean): string | undefined {
    const textOf = ({ from, to }: Node) => query.slice(from, to);
    const isNumber = (node: Node) => listMetrics(textOf(node)).length === 0;
    return findInNode(parser.parse(query).topNode);

    function findInNode(node: Node): string | undefined {
        const children = listChildren(node);
        const first = children[0];
        switch (node.name) {
            case "VectorSelector":
                return listMetrics(textOf(node)).some(isRatio) ? textOf(node) : undefined;
            case "AggregateExpr":
            case "FunctionCall": {
                const by = first?.firstChild?.name ?? "";
                return ADDITIVE.includes(by) ? undefined : findInNodes(children);
            }
            case "BinaryExpr": {
                const has = (operator: string) => children.some(({ name }) => name === operator);
                const [left, right] = [first, children.at(-1)];
                if (!left || !right) return undefined;
                if (has("Div") && !isNumber(right)) return textOf(node);
                // A ratio of an amount is an amount.
                if (has("Mul") && !isNumber(left) && !isNumber(right)) return undefined;
                return FILTERS.some(has) ? findInNode(left) : findInNodes([left, right]);
            }
            default:
                return findInNodes(children);
        }
    }

    function findInNodes(nodes: readonly Node[]): string | undefined {
        return nodes.map(findInNode).find((found) => found !== undefined);
    }
}

function listChildren(node: Node): Node[] {
    const children: Node[] = [];
    for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
    return children;
}
