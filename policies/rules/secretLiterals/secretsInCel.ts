import { cel, isRe2, matchesAny, said, type Cel } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";
import {
    CLIENTS,
    COMMENT,
    KNOWN,
    LITERAL,
    NAME,
    NAMES,
    NO_LITERAL,
    NO_NAME,
    OBJECT,
    SHAPES,
    URL,
    WITH_PASSWORD,
    sets,
} from "../../kubernetes/secretsInText.ts";

const name = cel`variable.name`;
const value = cel`variable.value`;

/** In upper-case names a digit may precede the next word. */
const inCapitals = ({ source }: RegExp) =>
    new RegExp(source.replace("(?:^|_)", String.raw`(?:^|[_\d])`));
const isNamed = (of: RegExp) =>
    cel`${name}.matches('^[A-Z0-9_.-]+$') ? words.matches(${inCapitals(of)}) : ${name}.matches('^[a-z0-9_.-]+$') && words.matches(${of})`;
const isLiteral = (text: Cel) =>
    cel`${text}.trim() != '' && !${text}.trim().matches(${NO_LITERAL})`;

/** Numbers are limits and counts, unless they are passwords; `DB_SECRET: db-credentials` refers to a Secret. */
const isNoName = cel`${value}.matches('^[0-9]+$') ? words.matches('pass|pwd') : !words.matches(${NAMES}) || words.matches(${CLIENTS}) || !${value}.matches(${OBJECT})`;
const isSecret = cel`${isNamed(NAME)} && !${isNamed(NO_NAME)} && ${isLiteral(value)} && ${isNoName}`;

const shapes = Object.entries(SHAPES)
    .filter(([, shape]) => isRe2(shape))
    .map(([kind, shape]) => cel`${value}.matches(${shape}) ? [${`contains ${kind}`}] : []`);
const password = cel`url.substring(url.indexOf(':', url.indexOf('://') + 3) + 1, size(url) - 1)`;
const lines = cel`${value}.split('\n').filter(line, !line.matches(${COMMENT}))`;
const urls = cel`${lines}.exists(line, line.findAll(${URL}).exists(url, ${isLiteral(password)})) ? [${WITH_PASSWORD}] : []`;
const held = [...shapes, urls].map((one) => `(${one.cel})`).join(" + ");

/** Maximum characters in a pod's environments; the cost of longer ones would exceed the server's limit of 1,000,000. */
const MOST = 30_000;
const sizes = cel`c.?env.orValue([]).map(e, size(e.?value.orValue('')))`;
const isShort = cel`variables.containers.map(c, ${sizes}.sum()).sum() <= ${MOST}`;

/** The checks of environment variables in CEL. */
export const secretsInEnvironment = (
    wellKnown: readonly string[],
    harmless: readonly string[],
): readonly Admission[] => [
    {
        each: {
            isShort: cel`[${isShort}]`,
            variable: cel`c.?env.orValue([]).filter(e, e.?value.orValue('') != '')`,
            words: cel`[${name}.lowerAscii().replace('-', '_').replace('.', '_').replace('__', '_')]`,
            what: cel`${isSecret} ? [${sets(name, cel`${value} in ${wellKnown} ? ${KNOWN} : ${LITERAL}`)}] : isShort ? ${{ cel: held }} : []`,
        },
        violated: cel`!${matchesAny(harmless, name)}`,
        what: cel`what`,
        at: said`env[${name}].value`,
    },
];
