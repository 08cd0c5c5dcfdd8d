package org.diffcert.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;

/**
 * What a command line gave: exit code and what it printed.
 *
 * @param code the exit code
 * @param out standard output
 * @param err standard error
 */
record Cli(int code, String out, String err) {
  /** The checkout. */
  static final Path ROOT = Path.of(System.getProperty("diffcert.root")).toAbsolutePath().normalize();
  /** What lies beside it: reference outputs of published networks, data, models. */
  static final Path SHARED = ROOT.resolveSibling("shared");
  /** The shipped network. */
  static final String MODEL = ROOT.resolve("models/mnist-edm.safetensors").toString();
  /** The shipped digits. */
  static final String DIGITS = "mnist:" + ROOT.resolve("data/mnist");

  static Cli run(Object... arguments) {
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), texts);
    return new Cli(code, out.toString(), err.toString());
  }

  /** The same, which must end with exit code 0. */
  static Cli ok(Object... arguments) {
    Cli cli = run(arguments);
    if (cli.code != 0) {
      throw new AssertionError("exit code " + cli.code + ": " + cli.err + cli.out);
    }
    return cli;
  }
}
