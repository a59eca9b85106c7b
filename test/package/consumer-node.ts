// The same for the subpath for Node: its errors are those of the main entry.
import { ValueError } from "wgrad";
import { pretrainedWeights } from "wgrad/node";

async function main(): Promise<void> {
  try {
    // @ts-expect-error: the names are typed
    await pretrainedWeights("no such model");
  } catch (error) {
    console.log(JSON.stringify({ sameErrors: error instanceof ValueError }));
  }
}

void main();
