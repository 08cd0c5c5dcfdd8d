package org.diffcert.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffcert.certify.CascadeVotes;
import org.diffcert.certify.NoisyVotes;
import org.diffcert.certify.VoteSource;
import org.diffcert.denoise.Denoiser;
import org.diffcert.denoise.DenoisedVotes;
import org.diffcert.denoise.Purification;
import org.diffcert.denoise.Sampler;
import org.diffcert.denoise.TieRule;
import org.diffcert.diffusion.ClassifierOptions;
import org.diffcert.diffusion.DiffusionClassifier;
import org.diffcert.diffusion.DiffusionDenoiser;
import org.diffcert.diffusion.DiffusionModel;
import org.diffcert.diffusion.Matching;
import org.diffcert.diffusion.NoiseMode;
import org.diffcert.diffusion.Pruning;
import org.diffcert.noise.NoiseLaw;
import org.diffcert.noise.Sigma;
import org.diffcert.onnx.OnnxClassifier;
import org.diffcert.onnx.OnnxOptions;
import org.diffcert.schedule.ClassifierKind;
import org.diffcert.schedule.GridKind;
import org.diffcert.schedule.Weighting;

/**
 * The lines of the papers' cost table for one network, with the number of network calls of each written down as a
 * formula (docs/spec/schedules.md, classifiers.md, denoised.md) and not asked of the code that makes them.
 */
final class MethodTable {
  private static final long SEED = 1;
  /** Several sigmas, for what serves several at once. */
  private static final List<Sigma> SEVERAL = List.of(new Sigma(0.25), new Sigma(0.5), new Sigma(1));

  private final DiffusionModel model;
  private final Sigma sigma;
  private final int points;
  private final GridKind grid;
  private final int classes;
  private final int threads;
  private final List<MethodCost> lines = new ArrayList<>();

  MethodTable(DiffusionModel model, Sigma sigma, int points, GridKind grid, int classes, int threads) {
    this.model = model;
    this.sigma = sigma;
    this.points = points;
    this.grid = grid;
    this.classes = classes;
    this.threads = threads;
  }

  List<MethodCost> lines() {
    return List.copyOf(lines);
  }

  /** What needs a classifier in an ONNX file; the file is opened anew by each. */
  void addOnnx(Path onnx, OnnxOptions input, int runs, int steps) {
    lines.add(new MethodCost("onnx", "Cohen et al. 2019 and all that train for it", "1", "1", 1, false, () -> {
      CountedCalls calls = new CountedCalls();
      return new MethodCost.Open(new NoisyVotes(calls.of(OnnxClassifier.open(onnx, input)), NoiseLaw.GAUSSIAN,
          List.of(sigma), SEED, threads), calls::rows);
    }));
    lines.add(denoised("denoised", "Carlini et al. 2023", "1", "1", 1, onnx, input, Purification.ONE_SHOT));
    lines.add(denoised("densepure " + runs + " x " + steps, "Xiao et al. 2022", "K b = " + runs * steps,
        "1 + K (b - 1)", 1 + (long) runs * (steps - 1), onnx, input,
        new Purification(runs, steps, Sampler.ANCESTRAL, 0, TieRule.LOWEST)));
    lines.add(new MethodCost("cascade of denoised", "Jeong and Shin 2023", "1 a stage", "1 a stage, 3 stages",
        SEVERAL.size(), false, () -> {
          CountedCalls calls = new CountedCalls();
          Denoiser denoiser = calls.of(denoiser());
          OnnxClassifier behind = OnnxClassifier.open(onnx, input);
          List<VoteSource> stages = new ArrayList<>();
          SEVERAL.forEach(s -> stages.add(
              new DenoisedVotes(denoiser, behind, Purification.ONE_SHOT, List.of(s), SEED, threads)));
          return new MethodCost.Open(new CascadeVotes(stages), calls::rows);
        }));
  }

  private MethodCost denoised(String name, String papers, String published, String formula, long calls,
      Path onnx, OnnxOptions input, Purification how) {
    return new MethodCost(name, papers, published, formula, calls, false, () -> {
      CountedCalls counted = new CountedCalls();
      return new MethodCost.Open(new DenoisedVotes(counted.of(denoiser()), OnnxClassifier.open(onnx, input), how,
          List.of(sigma), SEED, threads), counted::rows);
    });
  }

  private Denoiser denoiser() {
    return new DiffusionDenoiser(model, Matching.of("auto", model.config()), true);
  }

  /** Diffusion classifiers of a multi-head network, whose rows serve all classes; the network is the caller's. */
  void addHeads(DiffusionModel heads) {
    boolean log = grid == GridKind.LOG;
    String rows = log ? "N - 1" : "N - 2";
    int count = log ? points - 1 : points - 2;
    ClassifierOptions dc = options(ClassifierKind.DC, List.of(sigma));
    lines.add(new MethodCost("dc, multi-head network", "Chen et al. 2023", "125", rows, count, false,
        () -> new MethodCost.Open(DiffusionClassifier.open(heads, null, dc), null)));
    ClassifierOptions ensemble = options(ClassifierKind.APNDC_ENSEMBLE, List.of(sigma));
    lines.add(new MethodCost("apndc-ensemble, multi-head network", "", "", rows + " + 1", count + 1, false,
        () -> new MethodCost.Open(DiffusionClassifier.open(heads, null, ensemble), null)));
  }

  /** The diffusion classifiers. A network with a head for each class takes one row where another takes C. */
  void addClassifiers() {
    boolean log = grid == GridKind.LOG;
    boolean heads = model.config().multiHead();
    long each = heads ? 1 : classes;
    String c = heads ? "" : " C";
    int wide = log ? points - 1 : points - 2;
    int narrow = log ? points - 2 : points - 7;
    String l = log ? "N - 1" : "N - 2";
    String e = log ? "N - 2" : "N - 7";
    String ndc = "Chen et al. 2024";
    add(ClassifierKind.DC, "Chen et al. 2023, Li et al. 2023", "(" + l + ")" + c, wide * each);
    add(ClassifierKind.EPNDC, ndc, "(" + e + ")" + c, narrow * each);
    add(ClassifierKind.APNDC, ndc, "(" + l + ")" + c + " + 1", wide * each + 1);
    add(ClassifierKind.APNDC_CONDITIONAL, ndc, "(" + l + " + 1)" + c, (wide + 1) * each);
    add(ClassifierKind.APNDC_ENSEMBLE, ndc, "(" + l + ")" + c + " + 1", wide * each + 1);
    lines.add(line("epndc, 3 sigmas in one pass", ndc, "125 C, three times", "(N - 2)" + c, (points - 2) * each,
        false, options(ClassifierKind.EPNDC, SEVERAL)));
    if (heads) {
      return; // a row computes all classes, so there is nothing to prune
    }
    long full = (long) wide * classes + 1;
    int sifting = Pruning.PUBLISHED.siftLevels() - (log ? 1 : 2);
    int kept = Math.min(classes, Pruning.PUBLISHED.keep());
    lines.add(line("apndc-ensemble, --prune published", ndc, "undetermined", sifting + " C + (" + l + ") " + kept
        + " + 1 at most", (long) sifting * classes + (long) wide * kept + 1, true,
        options(ClassifierKind.APNDC_ENSEMBLE, List.of(sigma)).withPruning(Pruning.PUBLISHED)));
    lines.add(line("apndc-ensemble, --prune paired", "this project", "", "(" + l + ") C + 1 at most", full, true,
        options(ClassifierKind.APNDC_ENSEMBLE, List.of(sigma)).withPruning(Pruning.PAIRED)));
  }

  private void add(ClassifierKind kind, String papers, String formula, long calls) {
    lines.add(line(kind.cliName(), papers, "125 C = " + 125 * classes, formula, calls, false,
        options(kind, List.of(sigma))));
  }

  private MethodCost line(String name, String papers, String published, String formula, long calls, boolean most,
      ClassifierOptions options) {
    return new MethodCost(name, papers, published, formula, calls, most,
        () -> new MethodCost.Open(DiffusionClassifier.open(model, null, options), null));
  }

  private ClassifierOptions options(ClassifierKind kind, List<Sigma> sigmas) {
    return new ClassifierOptions(kind, sigmas, points, grid, Weighting.EDM, true,
        sigmas.size() > 1 ? NoiseMode.PATH : NoiseMode.INTEGER, SEED, 0, Pruning.NONE);
  }
}
