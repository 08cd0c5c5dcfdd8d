package org.diffcert.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffcert.DiffcertException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The door of the command line: which commands there are, and how a failure becomes a sentence and an exit code. */
@Command(name = "diffcert", mixinStandardHelpOptions = true, versionProvider = Main.Version.class,
    description = "Certifies image classifiers that are built on diffusion models.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {DemoCommand.class, CertifyCommand.class, PredictCommand.class, AnalyzeCommand.class,
        CompareCommand.class, VerifyCommand.class, AttackCommand.class, ModelCommand.class, DenoiseCommand.class,
        ElboCommand.class, TrainCommand.class, FinetuneCommand.class, SampleCommand.class, ScheduleCommand.class,
        LipschitzCommand.class, BenchCommand.class, DoctorCommand.class, CommandLine.HelpCommand.class},
    footer = {"", "Exit codes: 0 ok, 1 internal error, 2 usage, 3 bad input file, 4 device unavailable,",
        "5 interrupted (resumable), 6 verification mismatch, or an image that is not covered."})
public final class Main implements Runnable {
  @CommandLine.Spec
  private CommandLine.Model.CommandSpec spec;

  Main() {}

  /** What {@code --version} prints. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"diffcert " + version()};
    }
  }

  /**
   * Runs a command and ends the process with its exit code.
   *
   * @param arguments the command line
   */
  public static void main(String[] arguments) {
    PrintWriter err = new PrintWriter(System.err, true);
    StopSignal.install(err);
    int code = run(new PrintWriter(System.out, true), err, arguments);
    System.out.flush();
    StopSignal.exit(code);
  }

  /** The same without ending the process, for tests. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    CommandLine line = new CommandLine(new Main());
    try {
      line.getSubcommands().get("certify").setDefaultValueProvider(LikeDefaults.of(List.of(arguments)));
    } catch (DiffcertException e) {
      return report(e, err);
    }
    line.setOut(out).setErr(err).setCaseInsensitiveEnumValuesAllowed(true).setUsageHelpWidth(100);
    line.setExecutionExceptionHandler((e, command, parsed) -> report(e, command.getErr()));
    line.setParameterExceptionHandler((e, given) -> usage(e, err));
    try {
      return line.execute(arguments);
    } catch (OutOfMemoryError e) {
      err.println("diffcert: the Java heap is too small for this (" + e.getMessage() + "); give it more with "
          + "DIFFCERT_JAVA_OPTS=-Xmx8g, or ask for less at once");
    } catch (StackOverflowError | LinkageError e) {
      err.println("diffcert: internal error: " + e + where(e));
    }
    return DiffcertException.Kind.INTERNAL.exitCode();
  }

  private static int report(Exception e, PrintWriter err) {
    if (e instanceof DiffcertException failure) {
      err.println("diffcert: " + failure.getMessage());
      return failure.kind().exitCode();
    }
    err.println("diffcert: internal error: " + e + where(e));
    return DiffcertException.Kind.INTERNAL.exitCode();
  }

  /** Writes the trace to a file of its own, so that the terminal shows one line and nothing is lost. */
  private static String where(Throwable e) {
    StringWriter trace = new StringWriter();
    e.printStackTrace(new PrintWriter(trace, true));
    try {
      Path file = Files.createTempFile("diffcert-error-", ".txt");
      Files.writeString(file, trace.toString());
      return "; the trace is in " + file + ", please report it";
    } catch (IOException unwritable) {
      return "; " + trace;
    }
  }

  private static int usage(CommandLine.ParameterException e, PrintWriter err) {
    Throwable cause = e.getCause();
    String message = cause instanceof DiffcertException ? cause.getMessage() : e.getMessage();
    err.println("diffcert: " + message.replaceAll("\\s+", " ") + "; see '"
        + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'");
    return DiffcertException.Kind.USAGE.exitCode();
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "say what to do: demo, certify, predict, analyze, "
        + "compare, verify, attack, model, denoise, elbo, train, finetune, sample, schedule, bench or doctor");
  }

  /** The version of the library, as run logs record it. */
  static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
