package org.diffcert.attack;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.nio.ByteBuffer;
import org.diffcert.noise.NoiseKey;
import org.diffcert.noise.NoiseStream;
import org.diffcert.noise.Phase;

/**
 * The random numbers of one attempt: functions of the attack's seed, the attempt's name (attack, budget, start) and the
 * image, so that no order of attempts and no crash shows in them. Immutable.
 */
final class AttackRandom {
  private final long seed;
  private final int imageId;

  /** The numbers of an attempt with this name on an image. */
  AttackRandom(long seed, int imageId, String name) {
    try {
      byte[] text = (Long.toUnsignedString(seed) + " " + name).getBytes(StandardCharsets.UTF_8);
      this.seed = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text)).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    this.imageId = imageId;
  }

  /** Uniform numbers in [0, 1) of a place, such as a query's number. */
  double[] uniforms(int place, int count) {
    long[] bits = key(place).uniforms(NoiseStream.ATTACK, 0, count);
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (bits[i] >>> 11) * 0x1p-53;
    }
    return numbers;
  }

  /** Standard normal numbers of a place. */
  double[] normals(int place, int count) {
    return key(place).normals(NoiseStream.ATTACK, 0, count);
  }

  private NoiseKey key(int place) {
    return new NoiseKey(seed, imageId, Phase.PREDICT, place);
  }
}
