package org.diffcert.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.image.ImageData;
import org.diffcert.run.CertifyRun;
import org.diffcert.run.RunHeader;
import org.diffcert.run.RunLog;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/**
 * The classifier of a run, opened again as the run's header says: what the checks that need a network share. What is
 * not given (the network's file, the device) is as the run has it.
 */
final class RunNetwork extends NetworkArguments {
  private static final List<String> OPTIONS =
      List.of("--model", "--unconditional-model", "--onnx", "--config", "--device", "--threads", "--isa");

  @Option(names = "--model", paramLabel = "FILE",
      description = "The run's network. Default: the file of the recorded name, here or in models/.")
  Path model;

  @Option(names = "--unconditional-model", paramLabel = "FILE",
      description = "The run's second network, if it had one.")
  Path unconditionalModel;

  @Option(names = "--onnx", paramLabel = "FILE",
      description = "The classifier behind the run's denoiser, if it had one.")
  Path onnx;

  /** Options about a network where none is asked for are a mistake: says which option they go with. */
  static void refuseWithout(String option, CommandSpec spec) {
    for (String name : OPTIONS) {
      if (spec.commandLine().getParseResult().hasMatchedOption(name)) {
        throw DiffcertException.usage(name + " goes with " + option + "; without it, no network is needed");
      }
    }
  }

  /** Opens the classifier; the seed is the run's, or another. */
  ClassifierArguments.Opened open(RunLog log, CommandSpec spec, OptionalLong seed, Terminal terminal) {
    Map<String, String> options = RunOptions.ofClassifier(log.header());
    options.put("--model", RunFiles.model(log, model).toString());
    String secondOption = RunOptions.second(log.header());
    Path second = RunFiles.second(log, secondOption.equals("--onnx") ? onnx : unconditionalModel);
    if (second != null) {
      options.put(secondOption, second.toString());
    }
    if (!hasForms(device)) {
      options.remove("--isa");
    }
    for (String name : OPTIONS) {
      if (spec.commandLine().getParseResult().hasMatchedOption(name)) {
        options.put(name, spec.findOption(name).getValue().toString());
      }
    }
    seed.ifPresent(value -> options.put("--seed", Long.toUnsignedString(value)));
    ClassifierArguments classifier = new ClassifierArguments();
    try {
      CommandLine.populateCommand(classifier, RunOptions.words(options).toArray(String[]::new));
    } catch (CommandLine.ParameterException e) {
      throw DiffcertException.badInput("the run's options are none of certify: " + e.getMessage());
    }
    classifier.command = spec;
    return classifier.plan(OptionalLong.empty()).open(terminal, log.header().classNames());
  }

  /**
   * How the run as it would be made here differs from the log's: in nothing but device, build and, where another was
   * asked for, seed. Anything else is refused.
   */
  static List<String> differences(RunLog log, ImageData set, ClassifierArguments.Opened opened, boolean anySeed) {
    RunHeader there = log.header();
    RunHeader here = new CertifyRun(opened.classifier(), set, there.images(), there.config(), there.cascade(),
        there.library(), opened.build(), opened.device(), opened.origin()).header();
    List<String> differences = new ArrayList<>(here.differences(there));
    differences.removeIf(difference -> anySeed && difference.startsWith("source.seed is "));
    List<String> others = differences.stream().filter(d -> !Builds.isOne(d) && !d.startsWith("device is ")).toList();
    if (!others.isEmpty()) {
      throw DiffcertException.usage("this is not what the run was made with: "
          + others.stream().collect(Collectors.joining("; ")));
    }
    return differences;
  }
}
