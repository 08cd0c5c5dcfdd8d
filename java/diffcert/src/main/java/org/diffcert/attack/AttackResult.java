package org.diffcert.attack;

import org.diffcert.image.ByteImage;

/**
 * What an attack hands in.
 *
 * @param image an 8-bit image inside the budget: one that is wrong by the attack's own draws, if it found any, else
 *     that of largest loss
 * @param found whether it is wrong by the attack's own draws; by {@link AttackTarget#JUDGE} it may yet be right, and
 *     the other way round
 * @param scores how often it asked for scores
 * @param gradients how often it asked for a gradient
 */
public record AttackResult(ByteImage image, boolean found, long scores, long gradients) {}
