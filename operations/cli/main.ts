import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import { addAdminCommands } from "./admin.ts";
import { addDeployCommands } from "./deploy.ts";
import { addSecretCommands } from "./secrets.ts";
import { addSwitchCommands } from "./switch.ts";
import { interrupted } from "./target.ts";

const program = new Command("operations").description(
    "Works on a stack in a cluster: deploys it, moves its traffic from one colour to the other, and looks after it",
);

addDeployCommands(program);
addSwitchCommands(program);
addSecretCommands(program);
addAdminCommands(program);

await runCommand(program, interrupted);
