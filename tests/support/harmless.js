// Set-up of the unit tests: they start no program but Node and connect to nobody but this machine.
import childProcess from "node:child_process";
import { Socket } from "node:net";

const PATCHED = Symbol.for("property-search.harmless");
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

// Core modules are shared by all test files of a worker: they are patched once.
if (!childProcess[PATCHED]) {
    childProcess[PATCHED] = true;
    const startsNodeItself = (command) => command === process.execPath || command === "node";
    for (const name of ["spawn", "spawnSync", "execFile", "execFileSync"]) {
        const start = childProcess[name];
        childProcess[name] = (command, ...rest) => {
            if (startsNodeItself(command)) return start(command, ...rest);
            throw new Error(
                `a unit test starts no process, not "${command}"; name the file *.integration.test.ts`,
            );
        };
    }
    for (const name of ["exec", "execSync"]) {
        childProcess[name] = (command) => {
            throw new Error(
                `a unit test starts no shell, not "${command}"; name the file *.integration.test.ts`,
            );
        };
    }
    const connect = Socket.prototype.connect;
    Socket.prototype.connect = function (...args) {
        const [options] = Array.isArray(args[0]) ? args[0] : args;
        const host = options?.host ?? (typeof args[1] === "string" ? args[1] : "localhost");
        if (typeof options === "object" && !options.path && !LOOPBACK.test(host))
            throw new Error(
                `a unit test reaches this machine only, not "${host}"; name the file *.integration.test.ts`,
            );
        return connect.apply(this, args);
    };
}
