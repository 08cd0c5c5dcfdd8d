package org.diffcert.run;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffcert.certify.CascadeCertificate;
import org.diffcert.certify.CascadeCertificate.Outcome;
import org.diffcert.certify.CascadePrediction;
import org.diffcert.certify.CascadeStage;
import org.diffcert.certify.Certificate;
import org.diffcert.certify.Histogram;
import org.diffcert.noise.Sigma;
import org.diffcert.stats.CascadeRadius;
import org.diffcert.stats.IntegerRadius;

/**
 * A cascade's certificate as the fields of a record, with the votes of every stage. docs/spec/run-log.md lists them.
 */
final class CascadeFields {
  private CascadeFields() {}

  static Map<String, Object> encode(CascadeCertificate c) {
    List<Object> stages = new ArrayList<>();
    for (CascadeStage s : c.stages()) {
      Map<String, Object> stage = new LinkedHashMap<>();
      stage.put("sigma", s.sigma().unit());
      stage.put("selection", RunRecord.list(s.selection()));
      stage.put("selectionNone", (long) s.selection().noVote());
      stage.put("estimation", RunRecord.list(s.estimation()));
      stage.put("estimationNone", (long) s.estimation().noVote());
      stage.put("pALower", s.pALower());
      stage.put("answers", s.answers());
      stage.put("leavesTop", s.leavesTop());
      stage.put("leavesOthers", s.leavesOthers());
      stages.add(stage);
    }
    List<Object> unseen = new ArrayList<>();
    for (Histogram votes : c.unseen()) {
      Map<String, Object> stage = new LinkedHashMap<>();
      stage.put("selection", RunRecord.list(votes));
      stage.put("selectionNone", (long) votes.noVote());
      unseen.add(stage);
    }
    Map<String, Object> deployed = new LinkedHashMap<>();
    deployed.put("stage", (long) c.deployed().stage());
    deployed.put("predict", (long) c.deployed().predict());
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("stages", stages);
    map.put("unseen", unseen);
    map.put("alpha", c.alpha());
    map.put("outcome", c.outcome().toString());
    map.put("stage", (long) c.stage());
    map.put("predict", (long) c.predict());
    map.put("radius", c.radius());
    map.put("integerRadius", c.integerRadius().squared());
    map.put("earlier", c.earlier());
    map.put("deployed", deployed);
    return map;
  }

  /** Values that do not fit the header are bad input; wrong bounds are not, they are for Verify. */
  static CascadeCertificate decode(Object value, RunHeader header) {
    Fields f = new Fields("cascade", value, "stages", "unseen", "alpha", "outcome", "stage", "predict", "radius",
        "integerRadius", "earlier", "deployed");
    int count = header.sigmas().size();
    List<CascadeStage> stages = new ArrayList<>();
    for (Object item : f.list("stages")) {
      stages.add(stage(item, count - 1 - stages.size(), header));
    }
    List<Histogram> unseen = new ArrayList<>();
    for (Object item : f.list("unseen")) {
      unseen.add(selection(new Fields("an unseen stage", item, "selection", "selectionNone"), header));
    }
    if (stages.isEmpty() || stages.size() + unseen.size() != count) {
      throw Fields.bad(stages.size() + " stages and " + unseen.size() + " unseen ones for " + count + " sigmas");
    }
    int last = header.classNames().size() - 1;
    Fields deployed = new Fields("deployed", f.raw("deployed"), "stage", "predict");
    CascadePrediction prediction =
        new CascadePrediction(deployed.count("stage", 0, count), deployed.count("predict", 0, last));
    double radius = f.number("radius");
    if (!(radius >= 0)) {
      throw Fields.bad("a radius is " + radius);
    }
    return new CascadeCertificate(outcome(f.string("outcome")), f.count("stage", 0, stages.size() - 1),
        f.count("predict", Certificate.ABSTAIN, last), radius,
        new IntegerRadius(f.integer("integerRadius", IntegerRadius.NONE, Long.MAX_VALUE)), f.numbers("earlier"), stages,
        unseen, prediction, f.number("alpha"));
  }

  private static CascadeStage stage(Object value, int s, RunHeader header) {
    Fields f = new Fields("a stage", value, "sigma", "selection", "selectionNone", "estimation", "estimationNone",
        "pALower", "answers", "leavesTop", "leavesOthers");
    if (s < 0 || f.number("sigma") != header.sigmas().get(s).unit()) {
      throw Fields.bad("a stage is for sigma " + f.number("sigma") + ", the header has " + header.sigmas()
          + ", which go from the largest down");
    }
    Sigma sigma = header.sigmas().get(s);
    int n = header.config().n();
    Histogram estimation =
        RunRecord.histogram(f, "estimation", "estimationNone", header.classNames().size(), n, n);
    double pALower = f.number("pALower");
    if (!(pALower >= 0 && pALower <= 1)) {
      throw Fields.bad("a probability is " + pALower);
    }
    return new CascadeStage(sigma, selection(f, header), estimation, pALower, bound(f, "answers"),
        bound(f, "leavesTop"), bound(f, "leavesOthers"));
  }

  private static Histogram selection(Fields f, RunHeader header) {
    int n0 = header.config().n0();
    return RunRecord.histogram(f, "selection", "selectionNone", header.classNames().size(), n0, n0);
  }

  private static double bound(Fields f, String key) {
    double bound = f.number(key);
    if (!(bound >= 0 || bound == CascadeRadius.NOTHING)) {
      throw Fields.bad(key + " is " + bound + ", a radius or " + CascadeRadius.NOTHING);
    }
    return bound;
  }

  private static Outcome outcome(String name) {
    for (Outcome outcome : Outcome.values()) {
      if (outcome.toString().equals(name)) {
        return outcome;
      }
    }
    throw Fields.bad("the outcome is '" + Fields.abbreviate(name) + "'");
  }
}
