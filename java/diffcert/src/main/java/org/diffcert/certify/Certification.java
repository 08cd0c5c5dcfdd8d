package org.diffcert.certify;

import java.util.List;

/**
 * What certifying one image gave, and what it took.
 *
 * @param certificates one a sigma, in the vote source's order
 * @param calls network calls of the samples that were counted; what a chunk may have drawn beyond them is not in it
 */
public record Certification(List<Certificate> certificates, long calls) {
  /**
   * Copies the list.
   *
   * @param certificates one a sigma
   * @param calls network calls
   */
  public Certification {
    certificates = List.copyOf(certificates);
  }
}
