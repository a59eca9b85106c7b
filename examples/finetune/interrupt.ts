// Ctrl-C: the first one asks the run to stop and save, the second one ends the process at once.
import process from "node:process";

export interface Stop {
  /** Whether Ctrl-C was pressed. */
  readonly requested: boolean;
}

/** Listens for Ctrl-C from now on. */
export function stopOnInterrupt(log: (line: string) => void): Stop {
  const stop = { requested: false };
  // Once: the system's own handling, which ends the process, is back for the next one.
  process.once("SIGINT", () => {
    stop.requested = true;
    log("\nstopping and saving (Ctrl-C again ends at once, without saving)");
  });
  return stop;
}

/** The command that goes on with a run that was started with the arguments `argv`. */
export function resumeCommand(argv: readonly string[], out: string): string {
  const others = argv.filter(
    (arg, i) =>
      !["--resume", "--overwrite", "--out"].includes(arg) && !arg.startsWith("--out=") && argv[i - 1] !== "--out",
  );
  const quoted = [...others, "--out", out, "--resume"].map((arg) =>
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`,
  );
  return `npm run example:finetune -- ${quoted.join(" ")}`;
}
