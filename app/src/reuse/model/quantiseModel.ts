import {
    encodeContent,
    encodeInteger,
    join,
    readFields,
    readPackedIntegers,
    type Field,
} from "./protobuf.ts";

/** Numbers of the fields in onnx.proto. */
const MODEL = { graph: 7, operatorSet: 8 } as const;
const OPERATOR_SET = { domain: 1, version: 2 } as const;
const GRAPH = { node: 1, initializer: 5 } as const;
const NODE = { input: 1, output: 2, operator: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, integer: 3, type: 20 } as const;
const INTEGER_ATTRIBUTE = 2;
const TENSOR = { dimension: 1, type: 2, name: 8, bytes: 9 } as const;
const [FLOAT, UINT8, INT8] = [1, 2, 3];

/** Domain of the operators that ONNX Runtime adds to the standard ones. */
const RUNTIME_DOMAIN = "com.microsoft";
/** Numbers of a column, or of an input, that share a scale. */
const BLOCK = 32;
/** Largest integer; weights of products are stored without sign, moved by ZERO. */
const [MOST, ZERO] = [127, 128];
/** Inputs are quantised, too, so that products are those of integers. */
const INTEGER_PRODUCTS = 4;
/** Tables of fewer rows, or of one column, take little memory. */
const LARGE_TABLE_ROWS = 4_096;

interface Matrix {
    readonly rows: number;
    readonly columns: number;
    /** By rows. */
    readonly values: Float32Array;
}

interface Node {
    readonly operator: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes?: Readonly<Record<string, number>>;
    readonly domain?: string;
}

interface Tensor {
    readonly name: string;
    readonly type: number;
    readonly dimensions: readonly number[];
    readonly numbers: Float32Array | Int8Array | Uint8Array;
}

/** What takes the place of a node, and of the matrix that it reads. Each name is added once. */
interface Replacement {
    readonly nodes: readonly Node[];
    readonly tensors: readonly Tensor[];
}

/**
 * Stores the weights of a model in eight bits, which takes a quarter of the memory and two thirds of the time: those of
 * its products with a scale for each block of 32 numbers of a column, and those of its vocabulary with one for each row.
 * Products are computed by MatMulNBits of ONNX Runtime, which quantises their inputs in the same blocks:
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
 *
 * With one scale for a whole row or column, lookups are faster, and answer less: docs/service/performance.md.
 *
 * @param model an ONNX file
 * @throws Error if it has no weights of 32-bit floats
 */
export function quantiseModel(model: Uint8Array): Uint8Array<ArrayBuffer> {
    const operators = [
        ...encodeContent(OPERATOR_SET.domain, RUNTIME_DOMAIN),
        encodeInteger(OPERATOR_SET.version, 1),
    ];
    const fields = readFields(model);
    if (!fields.some(({ number }) => number === MODEL.graph))
        throw new Error("The model has no graph");
    const parts = fields.flatMap((field) =>
        field.number === MODEL.graph
            ? encodeContent(MODEL.graph, quantiseGraph(readFields(field.content)))
            : field.encoded,
    );
    return join([...parts, ...encodeContent(MODEL.operatorSet, operators)]);
}

/** By operator: the input with the weights, and its replacement, if these weights are worth one. */
const QUANTISED: Readonly<
    Record<string, readonly [number, (node: Node, weights: Matrix) => Replacement | undefined]>
> = { MatMul: [1, quantiseProduct], Gather: [0, quantiseTable] };

function quantiseGraph(graph: readonly Field[]): readonly Uint8Array[] {
    const tensors = new Map(
        graph
            .filter(({ number }) => number === GRAPH.initializer)
            .map((field) => [nameOf(field), field.content]),
    );
    const replaced = new Set<string>();
    const added = new Set<string>();
    const isNew = (name: string): boolean => added.size < added.add(name).size;
    const parts = graph.flatMap((field) => {
        if (field.number === GRAPH.initializer) return [];
        const node = field.number === GRAPH.node ? readNode(readFields(field.content)) : undefined;
        const [place, replace] = QUANTISED[node?.operator ?? ""] ?? [];
        const name = node?.inputs[place ?? NaN] ?? "";
        const weights = readMatrix(tensors.get(name));
        const replacement = node && weights && replace?.(node, weights);
        if (!replacement) return field.encoded;
        replaced.add(name);
        return [
            ...replacement.nodes
                .filter(({ outputs: [one = ""] }) => isNew(one))
                .flatMap(encodeNode),
            ...replacement.tensors.filter((tensor) => isNew(tensor.name)).flatMap(encodeTensor),
        ];
    });
    if (replaced.size === 0) throw new Error("The model has no weights that can be quantised");
    const kept = graph.filter(
        (field) => field.number === GRAPH.initializer && !replaced.has(nameOf(field)),
    );
    return [...parts, ...kept.map(({ encoded }) => encoded)];
}

function quantiseProduct(node: Node, weights: Matrix): Replacement | undefined {
    const [input = "", name = ""] = node.inputs;
    const { rows, columns } = weights;
    if (rows % BLOCK !== 0) return undefined;
    const { integers, scales } = quantise(transpose(weights), BLOCK);
    const unsigned = Uint8Array.from(integers, (integer) => integer + ZERO);
    const blocks = rows / BLOCK;
    const product = {
        operator: "MatMulNBits",
        domain: RUNTIME_DOMAIN,
        inputs: [input, integersOf(name), scalesOf(name)],
        outputs: node.outputs,
        attributes: {
            ...{ K: rows, N: columns },
            ...{ bits: 8, block_size: BLOCK, accuracy_level: INTEGER_PRODUCTS },
        },
    };
    const dimensions = [columns, blocks, BLOCK];
    return {
        nodes: [product],
        tensors: [
            { name: integersOf(name), type: UINT8, dimensions, numbers: unsigned },
            { name: scalesOf(name), type: FLOAT, dimensions: [columns, blocks], numbers: scales },
        ],
    };
}

function quantiseTable(node: Node, weights: Matrix): Replacement | undefined {
    const [name = "", places = ""] = node.inputs;
    const { rows, columns, values } = weights;
    if (rows < LARGE_TABLE_ROWS || columns === 1) return undefined;
    const { integers, scales } = quantise(values, columns);
    const [chosen, floats, chosenScales] = ["chosen", "floats", "chosen scales"].map(
        (step) => `${node.outputs[0] ?? ""} ${step}`,
    ) as [string, string, string];
    return {
        nodes: [
            { operator: "Gather", inputs: [integersOf(name), places], outputs: [chosen] },
            { operator: "Gather", inputs: [scalesOf(name), places], outputs: [chosenScales] },
            { operator: "Cast", inputs: [chosen], outputs: [floats], attributes: { to: FLOAT } },
            { operator: "Mul", inputs: [floats, chosenScales], outputs: node.outputs },
        ],
        tensors: [
            { name: integersOf(name), type: INT8, dimensions: [rows, columns], numbers: integers },
            { name: scalesOf(name), type: FLOAT, dimensions: [rows, 1], numbers: scales },
        ],
    };
}

/** Divides each block of numbers by its scale, so that the largest becomes 127 or −127. */
function quantise(
    values: Float32Array,
    block: number,
): { readonly integers: Int8Array; readonly scales: Float32Array } {
    const integers = new Int8Array(values.length);
    const scales = new Float32Array(values.length / block);
    for (let at = 0; at < scales.length; at += 1) {
        const [from, end] = [at * block, (at + 1) * block];
        let largest = 0;
        for (let place = from; place < end; place += 1)
            largest = Math.max(largest, Math.abs(values[place] ?? 0));
        scales[at] = largest / MOST;
        if (largest === 0) continue;
        for (let place = from; place < end; place += 1)
            integers[place] = Math.round(((values[place] ?? 0) / largest) * MOST);
    }
    return { integers, scales };
}

/** @returns the numbers by columns */
function transpose({ rows, columns, values }: Matrix): Float32Array {
    const byColumns = new Float32Array(values.length);
    for (let row = 0; row < rows; row += 1)
        for (let column = 0; column < columns; column += 1)
            byColumns[column * rows + row] = values[row * columns + column] ?? 0;
    return byColumns;
}

/** @returns undefined if these are not the floats of a matrix */
function readMatrix(content: Uint8Array | undefined): Matrix | undefined {
    if (!content) return undefined;
    const tensor = readFields(content);
    const bytes = tensor.find(({ number }) => number === TENSOR.bytes)?.content;
    const type = tensor.find(({ number }) => number === TENSOR.type)?.integer;
    // A list has one field for each number, or one field for all.
    const dimensions = tensor
        .filter(({ number }) => number === TENSOR.dimension)
        .flatMap(({ integer, content: packed }) =>
            packed.length > 0 ? readPackedIntegers(packed) : integer,
        );
    const [rows, columns] = dimensions;
    if (!bytes || type !== FLOAT || rows === undefined || columns === undefined) return undefined;
    if (dimensions.length > 2) return undefined;
    // A copy, because floats must begin at a multiple of four bytes.
    return { rows, columns, values: new Float32Array(Uint8Array.from(bytes).buffer) };
}

function readNode(node: readonly Field[]): Node {
    return {
        operator: textsOf(node, NODE.operator)[0] ?? "",
        inputs: textsOf(node, NODE.input),
        outputs: textsOf(node, NODE.output),
    };
}

function encodeNode(node: Node): readonly Uint8Array[] {
    const { operator, inputs, outputs, attributes = {}, domain = "" } = node;
    return encodeContent(GRAPH.node, [
        ...inputs.flatMap((name) => encodeContent(NODE.input, name)),
        ...outputs.flatMap((name) => encodeContent(NODE.output, name)),
        ...encodeContent(NODE.operator, operator),
        ...encodeContent(NODE.domain, domain),
        ...Object.entries(attributes).flatMap(([name, value]) =>
            encodeContent(NODE.attribute, [
                ...encodeContent(ATTRIBUTE.name, name),
                encodeInteger(ATTRIBUTE.integer, value),
                encodeInteger(ATTRIBUTE.type, INTEGER_ATTRIBUTE),
            ]),
        ),
    ]);
}

function encodeTensor({ name, type, dimensions, numbers }: Tensor): readonly Uint8Array[] {
    return encodeContent(GRAPH.initializer, [
        ...dimensions.map((dimension) => encodeInteger(TENSOR.dimension, dimension)),
        encodeInteger(TENSOR.type, type),
        ...encodeContent(TENSOR.name, name),
        ...encodeContent(TENSOR.bytes, [new Uint8Array(numbers.buffer)]),
    ]);
}

function integersOf(weights: string): string {
    return `${weights} integers`;
}

function scalesOf(weights: string): string {
    return `${weights} scales`;
}

function nameOf({ content }: Field): string {
    return textsOf(readFields(content), TENSOR.name)[0] ?? "";
}

function textsOf(message: readonly Field[], number: number): readonly string[] {
    return message
        .filter((field) => field.number === number)
        .map(({ content }) => Buffer.from(content).toString());
}
