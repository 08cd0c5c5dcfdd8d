package org.diffcert;

import java.util.Arrays;
import java.util.stream.Collectors;

/** A constant that users call by a name, on the command line and in run logs. */
public interface Named {
  /**
   * The name on the command line and in run logs.
   *
   * @return lower case
   */
  String cliName();

  /**
   * The constant of a name.
   *
   * @param <E> their type
   * @param constants those that there are
   * @param name as on the command line
   * @param what one of them, for the sentence of a refusal: grid, norm, classifier
   * @return the constant
   * @throws DiffcertException of kind USAGE if there is none of that name
   */
  static <E extends Named> E find(E[] constants, String name, String what) {
    for (E constant : constants) {
      if (constant.cliName().equals(name)) {
        return constant;
      }
    }
    throw DiffcertException.usage("no " + what + " is called '" + name + "'; there are "
        + Arrays.stream(constants).map(Named::cliName).collect(Collectors.joining(", ")));
  }
}
