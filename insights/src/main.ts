import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import { addAnalyse } from "./commands/analyse.ts";
import { addServe } from "./commands/serve.ts";
import { addTune } from "./commands/tune.ts";

const program = new Command("insights").description(
    "Analyses the savings of the cache from Prometheus: reports and a page",
);
for (const add of [addAnalyse, addServe, addTune]) add(program);
await runCommand(program);
