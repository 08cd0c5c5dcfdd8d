package org.diffcert.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code diffcert bench}: what things cost on this machine. */
@Command(name = "bench", mixinStandardHelpOptions = true, description = "Measures what methods cost on this machine.",
    subcommands = BenchMethodsCommand.class)
final class BenchCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "say what to do: methods");
  }
}
