package org.diffcert.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code diffcert attack}: attacks on classifiers, and changed images held against the certificates of a run. */
@Command(name = "attack", mixinStandardHelpOptions = true,
    description = "Attacks classifiers, and holds changed images against the certificates of a run.",
    subcommands = {AttackRunCommand.class, AttackTransferCommand.class, AttackCheckCommand.class,
        AttackCheckAllCommand.class})
final class AttackCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "say what to do: run, transfer, check or check-all");
  }
}
