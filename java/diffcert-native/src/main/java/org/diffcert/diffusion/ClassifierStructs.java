package org.diffcert.diffusion;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.diffcert.diffusion.jni.dc_prune;
import org.diffcert.diffusion.jni.dc_tau;
import org.diffcert.noise.IntegerNoise;
import org.diffcert.schedule.Schedule;

/**
 * The {@code dc_tau} and {@code dc_prune} structs of a classifier, in buffers of Java's own; they must be reachable
 * while native code reads them.
 */
final class ClassifierStructs {
  private final List<ByteBuffer> buffers = new ArrayList<>();
  private final dc_tau first;
  private final dc_prune prune;

  /** sifting: as many as schedules, or none. */
  ClassifierStructs(NoiseMode noise, List<Schedule> schedules, List<Schedule> sifting, Pruning pruning) {
    prune = new dc_prune(new Pointer(buffer(Loader.sizeof(dc_prune.class))));
    prune.kind(pruning.kind().code()).threshold(pruning.threshold()).keep(pruning.keep()).error(pruning.error());
    first = new dc_tau(new Pointer(buffer((long) schedules.size() * Loader.sizeof(dc_tau.class))));
    for (int t = 0; t < schedules.size(); t++) {
      Schedule schedule = schedules.get(t);
      dc_tau tau = first.getPointer(t);
      tau.sigma(schedule.sigma().unit()).levels(schedule.size());
      tau.lower(doubles(schedule.lower())).upper(doubles(schedule.upper())).weights(doubles(schedule.weights()));
      if (!sifting.isEmpty()) {
        Schedule sift = sifting.get(t);
        tau.sift_levels(sift.size()).sift_lower(doubles(sift.lower())).sift_upper(doubles(sift.upper()))
            .sift_weights(doubles(sift.weights()));
      }
      IntegerNoise law = IntegerNoise.of(schedule.sigma());
      tau.clip_low(law.clipLow()).clip_high(law.clipHigh());
      if (noise == NoiseMode.INTEGER) {
        long[] thresholds = law.thresholds();
        tau.threshold_count(thresholds.length).thresholds(longs(thresholds)).threshold_origin(law.origin());
      }
    }
  }

  /** The first of the structs; the others follow it. */
  dc_tau first() {
    return first;
  }

  dc_prune prune() {
    return prune;
  }

  private ByteBuffer buffer(long bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
    buffers.add(buffer);
    return buffer;
  }

  private DoublePointer doubles(double[] values) {
    return new DoublePointer(buffer((long) values.length * Double.BYTES).asDoubleBuffer().put(values).rewind());
  }

  private LongPointer longs(long[] values) {
    return new LongPointer(buffer((long) values.length * Long.BYTES).asLongBuffer().put(values).rewind());
  }
}
