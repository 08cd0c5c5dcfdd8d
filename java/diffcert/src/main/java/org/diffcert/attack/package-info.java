/**
 * Attacks that tell whether a defence is real: PGD, APGD and Square on anything that gives scores of its classes,
 * inside a budget that holds for the 8-bit image; and likelihood maximisation, the purification of RDC, with its exact
 * pullback (docs/spec/attacks.md, docs/spec/rdc.md).
 */
package org.diffcert.attack;
