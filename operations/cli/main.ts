import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import { addAdminCommands } from "./admin.ts";
import { addDeployCommands } from "./deploy.ts";
import { addRehearseCommands } from "./rehearse.ts";
import { addSecretCommands } from "./secrets.ts";
import { addSwitchCommands } from "./switch.ts";
import { interruption } from "./target.ts";
import { addTrainingCommands } from "./training.ts";

const program = new Command("operations").description(
    "Deploys a stack to a cluster, shifts its traffic between colours, and operates it",
);

addDeployCommands(program);
addSwitchCommands(program);
addSecretCommands(program);
addAdminCommands(program);
addRehearseCommands(program);
addTrainingCommands(program);

await runCommand(program, interruption);
