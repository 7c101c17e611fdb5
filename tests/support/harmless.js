// Set-up of the unit tests: they start no program but Node and connect only to this machine.
import childProcess from "node:child_process";
import { Socket } from "node:net";
import { promisify } from "node:util";

const GUARD = Symbol.for("property-search.harmless");
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

// A worker's test files share the core modules, integration tests too: they are patched once, and
// allowPrograms.js lifts the guard for its files.
childProcess[GUARD] ??= guardCoreModules();
childProcess[GUARD].active = true;

function guardCoreModules() {
    const guard = { active: false };
    for (const name of ["spawn", "spawnSync", "execFile", "execFileSync", "exec", "execSync"]) {
        const allowed =
            name.startsWith("exec") && !name.includes("File") ? [] : [process.execPath, "node"];
        childProcess[name] = guarded(childProcess[name], ([command]) => {
            if (guard.active && !allowed.includes(command))
                refuse(`starts no program, not "${command}"`);
        });
    }
    const { connect } = Socket.prototype;
    Socket.prototype.connect = function (...args) {
        const [options] = Array.isArray(args[0]) ? args[0] : args;
        const host = options?.host ?? (typeof args[1] === "string" ? args[1] : "localhost");
        if (guard.active && typeof options === "object" && !options.path && !LOOPBACK.test(host))
            refuse(`reaches this machine only, not "${host}"`);
        return connect.apply(this, args);
    };
    return guard;
}

function guarded(start, check) {
    const checked =
        (call) =>
        (...args) => {
            check(args);
            return call(...args);
        };
    const custom = start[promisify.custom];
    return Object.assign(checked(start), custom && { [promisify.custom]: checked(custom) });
}

function refuse(words) {
    throw new Error(`a unit test ${words}; name the file *.integration.test.ts`);
}
