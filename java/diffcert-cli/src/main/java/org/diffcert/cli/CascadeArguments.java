package org.diffcert.cli;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.diffcert.DiffcertException;
import org.diffcert.certify.Cascade;
import org.diffcert.certify.CascadeCertificate;
import org.diffcert.certify.CascadeRule;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.CertifyConfig;
import org.diffcert.noise.Sigma;
import org.diffcert.run.RunHeader;
import org.diffcert.run.RunLog;
import org.diffcert.run.RunRecord;
import org.diffcert.stats.CascadeRadius;
import org.diffcert.stats.ClopperPearson;
import picocli.CommandLine.Option;

/** The options of {@code --classifier cascade}, and what is said of its runs. */
final class CascadeArguments {
  /** The name of the classifier in options. */
  static final String NAME = "cascade";

  @Option(names = "--base", paramLabel = "NAME",
      description = "--classifier cascade: what votes at each --sigma, by its own name; with the options that go "
          + "with it.")
  String base;

  @Option(names = "--p0", paramLabel = "P",
      description = "--classifier cascade: a sigma answers a class whose probability is above this, else the next "
          + "smaller one is asked. Default: 0.5.")
  Double p0;

  @Option(names = "--walk", paramLabel = "KIND",
      description = "--classifier cascade: where sampling of an image ends. first: at the first sigma that gives a "
          + "certificate; all: where no other can give a larger radius. Default: first.")
  String walk;

  /** Options of a cascade where there is none are a mistake. */
  void refuseAny() {
    if (base != null || p0 != null || walk != null) {
      throw DiffcertException.usage("--base, --p0 and --walk belong to --classifier cascade");
    }
  }

  /** What they ask for; what votes must be another classifier. */
  Cascade settings() {
    if (base == null || base.equals(NAME)) {
      throw DiffcertException.usage(
          "--classifier cascade needs a classifier that votes at each sigma; give it with --base, such as --base onnx");
    }
    Cascade usual = Cascade.DEFAULT;
    return new Cascade(p0 == null ? usual.p0() : p0, walk == null ? usual.walk() : Cascade.Walk.of(walk));
  }

  /** The options again, from a run's header; those of what votes are there already. */
  static void complete(Map<String, String> options, RunHeader header) {
    header.cascade().ifPresent(cascade -> {
      options.put("--base", options.get("--classifier"));
      options.put("--classifier", NAME);
      options.put("--p0", Double.toString(cascade.p0()));
      options.put("--walk", cascade.walk().cliName());
    });
  }

  /** Too few samples for anything to come of it. */
  static void refuseHopeless(Cascade cascade, List<Sigma> sigmas, CertifyConfig config) {
    CascadeRule rule = new CascadeRule(cascade, sigmas, 2, config);
    double best = ClopperPearson.lower(config.n(), config.n(), rule.share());
    if (new CascadeRadius(cascade.p0()).answers(sigmas.get(0), best) < 0) {
      throw DiffcertException.usage("--n " + config.n() + " is too few for alpha " + rule.share() + " a bound: even "
          + "unanimous votes bound no class above p0 = " + cascade.p0() + ", so every image would abstain; take more "
          + "samples");
    }
  }

  /** What is going to be done. */
  static String description(RunHeader header) {
    CascadeRule rule = header.cascadeRule();
    Cascade cascade = header.cascade().orElseThrow();
    return String.format(Locale.ROOT,
        "cascade  sigmas %s from the largest down, p0 %s, walk %s; alpha %s over %d bounds of %.3g", sigmas(header),
        cascade.p0(), cascade.walk().cliName(), rule.alpha(), 2 * header.sigmas().size() - 1, rule.share());
  }

  /** What was found for an image: the certificate, then the deployed predictor's answer, each by its name. */
  static String found(CascadeCertificate c, int label, List<String> names) {
    Certificate plain = c.certificate();
    String certified = c.abstains() ? c.outcome() + " at sigma " + plain.sigma()
        : String.format(Locale.ROOT, "%s radius %.4f by sigma %s%s", names.get(c.predict()),
            CertifyJob.floor4(c.radius()), plain.sigma(), c.predict() == label ? "" : " (wrong)");
    return "  certified: " + certified + "  deployed: " + names.get(c.deployed().predict())
        + (c.deployed().predict() == label ? "" : " (wrong)");
  }

  /** What certified figures are not about, and where certificates came from; nothing for a run that is no cascade's. */
  static Optional<String> summary(RunLog log) {
    if (log.header().cascade().isEmpty()) {
      return Optional.empty();
    }
    int sigmas = log.header().sigmas().size();
    long[] by = new long[sigmas];
    long right = 0;
    for (RunRecord record : log.records()) {
      CascadeCertificate c = record.cascade().orElseThrow();
      by[c.stage()] += c.abstains() ? 0 : 1;
      right += c.deployed().predict() == record.label() ? 1 : 0;
    }
    StringBuilder line = new StringBuilder("certified by");
    for (int stage = 0; stage < sigmas; stage++) {
      line.append(stage == 0 ? " " : ", ").append("sigma ").append(log.header().sigmas().get(sigmas - 1 - stage))
          .append(": ").append(by[stage]);
    }
    return Optional.of(line + ". The deployed predictor (n0 votes a sigma, no certificate is about it): right in "
        + right + " of " + log.records().size());
  }

  private static String sigmas(RunHeader header) {
    return header.sigmas().stream().sorted(Comparator.reverseOrder()).map(Sigma::toString)
        .collect(Collectors.joining(", "));
  }
}
