import { cel, message, template } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";
import { HANDLERS, PROBES } from "../../kubernetes/probes.ts";

export const undeclaredPort = template(
    (field, port, ports) =>
        message`has a ${field} for port ${port}; the container's ports are: ${ports}`,
);

export const wrongHandlers = template(
    (field, handlers) => message`has a ${field} with ${handlers}; allowed: exactly one handler`,
);

const [field, port] = [cel`field`, cel`port`];
const handlers = cel`${HANDLERS}.filter(h, h in c[field])`;
const portNames = cel`ports.map(p, p.?name.orValue(string(p.containerPort))).join(', ')`;

/** The checks of handlers and their ports in CEL. @param requireDeclaredPorts whether numeric ports must be declared */
export const portChecks = (requireDeclaredPorts: boolean): readonly AdmissionCheck[] => [
    {
        each: { field: PROBES, handlers: cel`[${handlers}]` },
        violated: cel`size(handlers) != 1`,
        message: wrongHandlers(
            field,
            cel`size(handlers) == 0 ? 'no handler' : handlers.join(' and ')`,
        ),
        path: field,
    },
    {
        each: {
            field: PROBES,
            handler: cel`size(${handlers}) == 1 ? ${handlers} : []`,
            port: cel`[?c[field][handler].?port]`,
            ports: cel`[c.?ports.orValue([])]`,
        },
        violated: cel`type(port) == string ? !ports.exists(p, p.?name.orValue('') == port) : ${requireDeclaredPorts} && size(ports) > 0 && !ports.exists(p, p.containerPort == port)`,
        message: undeclaredPort(field, port, cel`size(ports) == 0 ? 'none' : ${portNames}`),
        path: message`${field}.${cel`handler`}.port`,
    },
];
