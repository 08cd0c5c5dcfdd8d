package org.diffcert.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.certify.VoteSource;
import org.diffcert.denoise.DenoisedVotes;
import org.diffcert.denoise.Purification;
import org.diffcert.denoise.Sampler;
import org.diffcert.denoise.TieRule;
import org.diffcert.diffusion.Device;
import org.diffcert.diffusion.DiffusionDenoiser;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.Matching;
import org.diffcert.diffusion.NativeLibrary;
import org.diffcert.onnx.OnnxClassifier;
import org.diffcert.onnx.OnnxOptions;
import org.diffcert.run.Origin;
import picocli.CommandLine.Option;

/**
 * The options of a diffusion model in front of an ONNX classifier: {@code --classifier denoised} and {@code densepure}.
 */
final class DenoiserArguments {
  private static final String ONE_SHOT = "denoised";
  private static final String MANY = "densepure";

  @Option(names = "--onnx", paramLabel = "FILE",
      description = "--classifier denoised and densepure: the classifier behind the denoiser, which is --model.")
  Path onnx;

  @Option(names = "--match", paramLabel = "KIND",
      description = "--classifier denoised and densepure: how the denoiser is told the noise. level: 2 sigma in its "
          + "own units; linear, cosine: the smallest timestep at or above it, for VP and iDDPM networks. "
          + "Default: auto, cosine for iDDPM, level for others.")
  String match;

  @Option(names = "--votes", paramLabel = "K",
      description = "--classifier densepure: runs of the reverse chain that are put to the vote. Default: 10.")
  Integer votes;

  @Option(names = "--steps", paramLabel = "B",
      description = "--classifier densepure: steps of a run. Default: 5.")
  Integer steps;

  @Option(names = "--sampler", paramLabel = "NAME",
      description = "--classifier densepure: ancestral (DDPM) or edm (Heun's steps with noise put back). "
          + "Default: ancestral.")
  String sampler;

  @Option(names = "--churn", paramLabel = "C",
      description = "--sampler edm: noise put back, S_churn of Karras et al. Default: 1.")
  Double churn;

  @Option(names = "--ties", paramLabel = "RULE",
      description = "--classifier densepure: among classes with equally many runs, the lowest, or that of the first "
          + "run as in the released code. Default: lowest.")
  String ties;

  /** Whether a name of a classifier is one of these. */
  static boolean isOne(Object name) {
    return ONE_SHOT.equals(name) || MANY.equals(name);
  }

  /** Options of a denoiser where there is none are a mistake. */
  void refuseAny() {
    if (onnx != null || match != null) {
      throw DiffcertException.usage("--onnx and --match belong to --classifier denoised and densepure");
    }
    refuseRuns();
  }

  private void refuseRuns() {
    if (votes != null || steps != null || sampler != null || churn != null || ties != null) {
      throw DiffcertException.usage(
          "--votes, --steps, --sampler, --churn and --ties belong to --classifier densepure");
    }
  }

  /** What they ask for. */
  Purification purification(String classifier) {
    if (onnx == null) {
      throw DiffcertException.usage("--classifier " + classifier
          + " needs a classifier behind the denoiser; give it with --onnx");
    }
    if (classifier.equals(ONE_SHOT)) {
      refuseRuns();
      return Purification.ONE_SHOT;
    }
    Sampler kind = sampler == null ? Sampler.ANCESTRAL : Sampler.of(sampler);
    double usual = kind == Sampler.EDM ? Purification.CHURN : 0;
    return new Purification(votes == null ? 10 : votes, steps == null ? 5 : steps, kind, churn == null ? usual : churn,
        ties == null ? TieRule.LOWEST : TieRule.of(ties));
  }

  /** Opens the denoiser and what is behind it; of the other options, those about network, batch and clamp are read. */
  ClassifierArguments.Opened open(ClassifierArguments others, OnnxOptions input, Purification how, Scales scales,
      long seed, Terminal terminal) {
    ModelArguments network = others.network;
    OnnxClassifier behind = OnnxClassifier.open(onnx, input);
    DiffusionModel model = null;
    try {
      Device device = network.device(terminal);
      model = network.open(network.model, device, Arguments.batch(others.batch));
      Matching matching = Matching.of(match == null ? "auto" : match, model.config());
      int threads = network.threads();
      DiffusionDenoiser denoiser = new DiffusionDenoiser(model, matching, !others.noClamp);
      VoteSource opened = scales.votes(sigmas -> new DenoisedVotes(denoiser, behind, how, sigmas, seed, threads));
      terminal.say("model    " + network.model.getFileName() + ", digest " + model.digest().substring(0, 16));
      terminal.say("behind   " + onnx.getFileName() + ", digest " + behind.digest().substring(0, 16) + ", "
          + behind.build() + ", " + behind.batch() + " images a call");
      String what = how.equals(Purification.ONE_SHOT) ? ONE_SHOT : MANY + ", " + how.votes() + " runs of " + how.steps()
          + " steps (" + how.sampler().cliName() + ")";
      long calls = opened.callsPerSample();
      terminal.say("votes    " + what + ", " + calls + (calls == 1 ? " denoiser call " : " denoiser calls ")
          + (scales.apart() ? "for all sigmas, " : "each, ") + others.seedText(seed));
      Origin origin = Origin.here(String.valueOf(network.model.getFileName()), String.valueOf(onnx.getFileName()),
          device.describe(), device.driver(), NativeLibrary.buildInfo() + ", " + behind.build());
      return new ClassifierArguments.Opened(opened, List.of(model), model.options().identity(),
          NativeLibrary.buildDigest() + ", " + behind.build(), origin);
    } catch (RuntimeException e) {
      if (model != null) {
        model.close();
      }
      behind.close();
      throw e;
    }
  }

  /** The options again, from what a header says of the classifier. */
  static Map<String, String> of(Map<?, ?> classifier) {
    if (!(classifier.get("denoiser") instanceof Map<?, ?> denoiser)
        || !(denoiser.get("clamp") instanceof Boolean clamp)
        || !(classifier.get("classifier") instanceof Map<?, ?> behind)) {
      throw DiffcertException.badInput("the run was not made by diffcert certify: its denoiser is not described");
    }
    Map<String, String> options = new LinkedHashMap<>(OnnxArguments.of(behind));
    options.put("--classifier", String.valueOf(classifier.get("kind")));
    options.put("--match", String.valueOf(denoiser.get("match")));
    options.put("--no-clamp", Boolean.toString(!clamp));
    for (String name : List.of("votes", "steps", "sampler", "ties", "churn")) {
      boolean others = name.equals("churn") && !Sampler.EDM.cliName().equals(classifier.get("sampler"));
      if (classifier.get(name) != null && !others) {
        options.put("--" + name, classifier.get(name).toString());
      }
    }
    return options;
  }
}
