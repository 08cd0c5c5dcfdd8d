package org.diffcert.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options of a command that is about one network: which it is, and where it runs. */
final class ModelArguments extends NetworkArguments {
  @Option(names = "--model", required = true, paramLabel = "FILE",
      description = "The network: safetensors, EDM .pkl, or PyTorch .pt/.pth with --config.")
  Path model;
}
