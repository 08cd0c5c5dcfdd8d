package org.diffcert.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.diffcert.Closing;
import org.diffcert.certify.CascadeVotes;
import org.diffcert.certify.VoteSource;
import org.diffcert.noise.Sigma;

/**
 * The levels that votes are cast at: all by one source, or each by a source of its own, as a cascade asks for them.
 *
 * @param sigmas ascending
 * @param apart whether each has its own
 */
record Scales(List<Sigma> sigmas, boolean apart) {
  /** Votes at these levels, from what makes a source of some; sources may share what they close. */
  VoteSource votes(Function<List<Sigma>, VoteSource> source) {
    if (!apart) {
      return source.apply(sigmas);
    }
    List<VoteSource> each = new ArrayList<>();
    try {
      sigmas.forEach(sigma -> each.add(source.apply(List.of(sigma))));
      return new CascadeVotes(each);
    } catch (RuntimeException e) {
      Closing.all(each);
      throw e;
    }
  }
}
