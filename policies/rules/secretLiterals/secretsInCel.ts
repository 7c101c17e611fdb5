import { cel, isRe2, matchesAny, message, type Cel } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";
import {
    CLIENT_SECRET_NAME,
    COMMENT,
    WELL_KNOWN_PASSWORD,
    LITERAL,
    SECRET_NAME,
    AMBIGUOUS_NAME,
    PLACEHOLDER,
    NO_SECRET_NAME,
    OBJECT_NAME,
    KEY_FORMATS,
    URL,
    URL_WITH_PASSWORD,
    assigns,
} from "../../kubernetes/secretsInText.ts";

const name = cel`variable.name`;
const value = cel`variable.value`;

/** In upper-case names a digit may precede the next word. */
const forUpperCase = ({ source }: RegExp) =>
    new RegExp(source.replace("(?:^|_)", String.raw`(?:^|[_\d])`));
const isNamed = (of: RegExp) =>
    cel`${name}.matches('^[A-Z0-9_.-]+$') ? words.matches(${forUpperCase(of)}) : ${name}.matches('^[a-z0-9_.-]+$') && words.matches(${of})`;
const isLiteral = (text: Cel) =>
    cel`${text}.trim() != '' && !${text}.trim().matches(${PLACEHOLDER})`;

/** Numbers are limits and counts, unless they are passwords; `DB_SECRET: db-credentials` refers to a Secret. */
const isNoName = cel`${value}.matches('^[0-9]+$') ? words.matches('pass|pwd') : !words.matches(${AMBIGUOUS_NAME}) || words.matches(${CLIENT_SECRET_NAME}) || !${value}.matches(${OBJECT_NAME})`;
const isSecret = cel`${isNamed(SECRET_NAME)} && !${isNamed(NO_SECRET_NAME)} && ${isLiteral(value)} && ${isNoName}`;

const shapes = Object.entries(KEY_FORMATS)
    .filter(([, shape]) => isRe2(shape))
    .map(([kind, shape]) => cel`${value}.matches(${shape}) ? [${`contains ${kind}`}] : []`);
const password = cel`url.substring(url.indexOf(':', url.indexOf('://') + 3) + 1, size(url) - 1)`;
const lines = cel`${value}.split('\n').filter(line, !line.matches(${COMMENT}))`;
const urls = cel`${lines}.exists(line, line.findAll(${URL}).exists(url, ${isLiteral(password)})) ? [${URL_WITH_PASSWORD}] : []`;
const contained = [...shapes, urls].map((one) => `(${one.cel})`).join(" + ");

/** Maximum characters in a pod's environments; the cost of longer ones would exceed the server's limit of 1,000,000. */
const MAX_CHARACTERS = 30_000;
const sizes = cel`c.?env.orValue([]).map(e, size(e.?value.orValue('')))`;
const isShort = cel`variables.containers.map(c, ${sizes}.sum()).sum() <= ${MAX_CHARACTERS}`;

/** The checks of environment variables in CEL. */
export const environmentChecks = (
    wellKnown: readonly string[],
    harmless: readonly string[],
): readonly AdmissionCheck[] => [
    {
        each: {
            isShort: cel`[${isShort}]`,
            variable: cel`c.?env.orValue([]).filter(e, e.?value.orValue('') != '')`,
            words: cel`[${name}.lowerAscii().replace('-', '_').replace('.', '_').replace('__', '_')]`,
            what: cel`${isSecret} ? [${assigns(name, cel`${value} in ${wellKnown} ? ${WELL_KNOWN_PASSWORD} : ${LITERAL}`)}] : isShort ? ${{ cel: contained }} : []`,
        },
        violated: cel`!${matchesAny(harmless, name)}`,
        message: cel`what`,
        path: message`env[${name}].value`,
    },
];
