package org.diffcert.run;

import java.util.ArrayList;
import java.util.List;
import org.diffcert.DiffcertException;
import org.diffcert.certify.CascadeCertificate;
import org.diffcert.certify.CascadeRule;
import org.diffcert.certify.CascadeStage;
import org.diffcert.certify.Histogram;

/** The cascade's part of {@link Verify}: stages, walk and certificate again from the histograms of every stage. */
final class VerifyCascade {
  private VerifyCascade() {}

  /** Adds the recorded values that differ from the recomputed ones. */
  static void differences(RunLog log, List<String> differences) {
    CascadeRule rule = rule(log.header());
    for (RunRecord record : log.records()) {
      CascadeCertificate recorded = record.cascade().orElseThrow();
      List<CascadeStage> stages = new ArrayList<>();
      for (CascadeStage there : recorded.stages()) {
        String where = "image " + record.image() + ", sigma " + there.sigma() + ": ";
        if (!stages.isEmpty() && !rule.goesOn(stages)) {
          differences.add(where + "the walk ends before this stage");
        }
        CascadeStage here = rule.stage(stages.size(), there.selection(), there.estimation());
        stages.add(here);
        Verify.compare(where + "pALower", there.pALower(), here.pALower(), differences);
        Verify.compare(where + "answers", there.answers(), here.answers(), differences);
        Verify.compare(where + "leavesTop", there.leavesTop(), here.leavesTop(), differences);
        Verify.compare(where + "leavesOthers", there.leavesOthers(), here.leavesOthers(), differences);
      }
      String where = "image " + record.image() + ": ";
      if (rule.goesOn(stages)) {
        differences.add(where + "the walk ends after " + stages.size() + " stages, where it goes on");
      }
      CascadeCertificate computed = rule.certificate(stages, recorded.unseen());
      Verify.compare(where + "alpha", recorded.alpha(), computed.alpha(), differences);
      Verify.compare(where + "outcome", recorded.outcome(), computed.outcome(), differences);
      Verify.compare(where + "stage", recorded.stage(), computed.stage(), differences);
      Verify.compare(where + "predict", recorded.predict(), computed.predict(), differences);
      Verify.compare(where + "radius", recorded.radius(), computed.radius(), differences);
      Verify.compare(where + "integerRadius", recorded.integerRadius().squared(), computed.integerRadius().squared(),
          differences);
      Verify.compare(where + "earlier", recorded.earlier(), computed.earlier(), differences);
      Verify.compare(where + "deployed", recorded.deployed(), computed.deployed(), differences);
    }
  }

  /** Adds the recorded votes that differ from those cast again. */
  static void votes(RunRecord recorded, RunRecord again, List<String> differences) {
    CascadeCertificate there = recorded.cascade().orElseThrow();
    CascadeCertificate here = again.cascade().orElseThrow();
    String image = "image " + recorded.image();
    if (there.stages().size() != here.stages().size()) {
      differences.add(image + ": " + there.stages().size() + " stages in the log and " + here.stages().size()
          + " cast again");
      return;
    }
    for (int k = 0; k < there.stages().size(); k++) {
      String where = image + ", sigma " + there.stages().get(k).sigma() + ": ";
      Verify.compareVotes(where, "selection", there.stages().get(k).selection(), here.stages().get(k).selection(),
          differences);
      Verify.compareVotes(where, "estimation", there.stages().get(k).estimation(), here.stages().get(k).estimation(),
          differences);
    }
    List<Histogram> unseen = there.unseen();
    for (int k = 0; k < unseen.size(); k++) {
      Verify.compareVotes(image + ", stage " + (there.stages().size() + k) + ": ", "selection", unseen.get(k),
          here.unseen().get(k), differences);
    }
  }

  private static CascadeRule rule(RunHeader header) {
    try {
      return header.cascadeRule();
    } catch (DiffcertException e) { // what no run could have begun with
      throw DiffcertException.badInput("the header is impossible: " + e.getMessage());
    }
  }
}
