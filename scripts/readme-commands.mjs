// Prints the commands that README.md tells a newcomer to run, one a line: the lines of its `sh` blocks that start with
// `npm run setup`. CI runs them as they stand, so that the README cannot drift.
import { readmeBlocks } from "./readme-blocks.mjs";

const lines = readmeBlocks("sh").flatMap((text) => text.split("\n"));
const commands = lines.filter((line) => line.startsWith("npm run setup"));
if (!commands.some((command) => command.endsWith("npm test"))) {
  console.error("README.md has no `sh` block with a line `npm run setup && npm test`");
  process.exit(1);
}
console.log(commands.join("\n"));
