import { cel, said, words } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";
import { HANDLERS, PROBES } from "../../kubernetes/probes.ts";

export const elsewhere = words(
    (field, port, ports) =>
        said`has a ${field} for port ${port}; the container's ports are: ${ports}`,
);

export const handled = words(
    (field, handlers) => said`has a ${field} with ${handlers}; allowed: exactly one handler`,
);

const [field, port] = [cel`field`, cel`port`];
const handlers = cel`${HANDLERS}.filter(h, h in c[field])`;
const has = cel`ports.map(p, p.?name.orValue(string(p.containerPort))).join(', ')`;

/** The checks of handlers and their ports in CEL. @param requireDeclaredPorts whether numeric ports must be declared */
export const probedPorts = (requireDeclaredPorts: boolean): readonly Admission[] => [
    {
        each: { field: PROBES, handlers: cel`[${handlers}]` },
        violated: cel`size(handlers) != 1`,
        what: handled(field, cel`size(handlers) == 0 ? 'no handler' : handlers.join(' and ')`),
        at: field,
    },
    {
        each: {
            field: PROBES,
            handler: cel`size(${handlers}) == 1 ? ${handlers} : []`,
            port: cel`[?c[field][handler].?port]`,
            ports: cel`[c.?ports.orValue([])]`,
        },
        violated: cel`type(port) == string ? !ports.exists(p, p.?name.orValue('') == port) : ${requireDeclaredPorts} && size(ports) > 0 && !ports.exists(p, p.containerPort == port)`,
        what: elsewhere(field, port, cel`size(ports) == 0 ? 'none' : ${has}`),
        at: said`${field}.${cel`handler`}.port`,
    },
];
