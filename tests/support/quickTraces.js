// Set-up of every test file. The Pulumi SDK takes the stack trace of each promise and resource, as an
// error without a message, and Jest maps every frame to its source: a third of a program test's time.
const format = Error.prepareStackTrace;

Error.prepareStackTrace = (error, frames) =>
    error.message === "" && error.name === "Error"
        ? "Error"
        : (format?.(error, frames) ?? [String(error), ...frames].join("\n    at "));
