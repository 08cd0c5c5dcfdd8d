package org.diffcert.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.diffcert.run.RunLog;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What {@code certify --like RUN} means: the options of that run are the defaults. Defaults are settled before a
 * command line is read, so this looks for the option by itself.
 */
final class LikeDefaults implements IDefaultValueProvider {
  private static final String LIKE = "--like";

  private final Map<String, String> defaults;

  private LikeDefaults(Map<String, String> defaults) {
    this.defaults = defaults;
  }

  /** The defaults of a command line; none where it does not say whom to be like. */
  static LikeDefaults of(List<String> arguments) {
    String run = value(arguments, LIKE);
    if (run == null || !arguments.get(0).equals("certify")) {
      return new LikeDefaults(Map.of());
    }
    RunLog log = RunLog.read(Path.of(run));
    Map<String, String> defaults = RunOptions.of(log.header());
    String device = value(arguments, "--device");
    if (device != null && !NetworkArguments.hasForms(device)) {
      defaults.remove("--isa");
    }
    if (value(arguments, "--model") == null) {
      defaults.put("--model", RunFiles.model(log, null).toString());
    }
    String second = RunOptions.second(log.header());
    if (value(arguments, second) == null && !log.origin().unconditional().isEmpty()) {
      defaults.put(second, RunFiles.second(log, null).toString());
    }
    if (value(arguments, "--data") == null) {
      defaults.put("--data", RunFiles.data(log.header(), null));
    }
    return new LikeDefaults(defaults);
  }

  private static String value(List<String> arguments, String option) {
    for (int i = 0; i < arguments.size(); i++) {
      if (arguments.get(i).startsWith(option + "=")) {
        return arguments.get(i).substring(option.length() + 1);
      }
      if (arguments.get(i).equals(option) && i + 1 < arguments.size()) {
        return arguments.get(i + 1);
      }
    }
    return null;
  }

  @Override
  public String defaultValue(ArgSpec argument) {
    return argument instanceof OptionSpec option ? defaults.get(option.longestName()) : null;
  }
}
