/**
 * Preloaded into a process, it measures the CPU time of each turn of the event loop: other load on the machine
 * does not prolong it, as it does a delay. On SIGUSR2 it prints the longest turn since the last time.
 */
let last = process.threadCpuUsage();
let longest = 0;

function measure() {
    const now = process.threadCpuUsage();
    longest = Math.max(longest, (now.user + now.system - last.user - last.system) / 1000);
    last = now;
    // Unreferenced, it runs only in turns that something else has begun.
    setImmediate(measure).unref();
}

measure();
setInterval(() => undefined, 1).unref();
process.on("SIGUSR2", () => {
    process.stdout.write(`longest turn: ${longest.toFixed(1)} ms\n`);
    longest = 0;
    last = process.threadCpuUsage();
});
