package org.diffcert.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import java.nio.FloatBuffer;
import java.util.Map;
import org.diffcert.DiffcertException;
import org.diffcert.DiffcertException.Kind;
import org.diffcert.image.ImageShape;

/**
 * A model in ONNX Runtime: one float32 input of rank 4 whose extents are known but for the batch, one float32 output of
 * a row of logits an image. One thread computes a call, so nothing depends on how work was shared; calls may come from
 * several threads.
 */
final class Network implements AutoCloseable {
  private static final int LONGEST_REASON = 200;
  /** Far above any image, far below what could not be allocated a batch at a time. */
  private static final long MOST_ELEMENTS = 1 << 22;

  private final String name;
  private final OrtEnvironment environment;
  private final OrtSession session;
  private final String input;
  private final long[] dimensions;
  private boolean closed;

  private Network(String name, OrtEnvironment environment, OrtSession session) {
    this.name = name;
    this.environment = environment;
    this.session = session;
    if (session.getNumInputs() != 1 || session.getNumOutputs() != 1) {
      throw unfit("has " + session.getNumInputs() + " inputs and " + session.getNumOutputs()
          + " outputs, a classifier has one of each");
    }
    this.input = session.getInputNames().iterator().next();
    try {
      this.dimensions = tensor("input", session.getInputInfo(), 4);
      tensor("output", session.getOutputInfo(), 2);
    } catch (OrtException e) {
      throw failure(name, "cannot be described", e);
    }
    long elements = 1;
    for (int i = 1; i < 4; i++) {
      if (dimensions[i] < 1) {
        throw unfit("leaves extent " + i + " of its input open; only the batch may be, so export it for one size");
      }
      elements = Math.min(MOST_ELEMENTS + 1, elements) * Math.min(MOST_ELEMENTS + 1, dimensions[i]);
    }
    if (elements > MOST_ELEMENTS) {
      throw unfit("takes images of more than " + MOST_ELEMENTS + " values");
    }
  }

  /** Loads a model on the CPU. */
  static Network load(OnnxFile file) {
    return load(file, Provider.CPU);
  }

  /** Loads a model on a device. */
  static Network load(OnnxFile file, Provider provider) {
    OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "diffcert");
    OrtSession session = null;
    try (SessionOptions options = new SessionOptions()) {
      environment.setTelemetry(false);
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
      options.setDeterministicCompute(true);
      options.addConfigEntry("session.set_denormal_as_zero", "0");
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      provider.addTo(options);
      session = environment.createSession(file.bytes(), options);
      return new Network(file.name(), environment, session);
    } catch (OrtException e) {
      throw failure(file.name(), "cannot be loaded by ONNX Runtime " + environment.getVersion(), e);
    } catch (RuntimeException e) {
      close(session);
      throw e;
    }
  }

  /** The images' shape under a layout. */
  ImageShape shape(Layout layout) {
    return layout.shape(dimensions);
  }

  /** The batch that the model is made for, 0 where it takes any. */
  int ownBatch() {
    return (int) Math.max(0, Math.min(Integer.MAX_VALUE, dimensions[0]));
  }

  String version() {
    return environment.getVersion();
  }

  /** The logits of a batch, one row an image. */
  float[][] logits(float[] values, long[] shape) {
    try (OnnxTensor tensor = OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape);
        OrtSession.Result result = session.run(Map.of(input, tensor))) {
      if (!(result.get(0).getValue() instanceof float[][] rows) || rows.length != shape[0]) {
        throw unfit("does not answer a batch of " + shape[0] + " images with as many rows of float32 logits");
      }
      return rows;
    } catch (OrtException e) {
      throw failure(name, "fails on a batch of " + shape[0] + " images", e);
    }
  }

  DiffcertException unfit(String what) {
    return DiffcertException.badInput("the model " + name + " " + what);
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      close(session);
    }
  }

  private long[] tensor(String what, Map<String, NodeInfo> infos, int rank) {
    NodeInfo node = infos.values().iterator().next();
    if (!(node.getInfo() instanceof TensorInfo info) || info.type != OnnxJavaType.FLOAT
        || info.getShape().length != rank) {
      throw unfit("has an " + what + " that is no float32 tensor of rank " + rank);
    }
    return info.getShape();
  }

  private static void close(OrtSession session) {
    try {
      if (session != null) {
        session.close();
      }
    } catch (OrtException e) {
      throw new IllegalStateException("an ONNX session does not close", e);
    }
  }

  private static DiffcertException failure(String name, String what, OrtException e) {
    return new DiffcertException(Kind.BAD_INPUT, "the model " + name + " " + what + ": " + brief(e), e);
  }

  /** ONNX Runtime's own words without its source lines, cut to one short line. */
  static String brief(OrtException e) {
    String reason = String.valueOf(e.getMessage()).replaceAll("[^\\x20-\\x7e]+", " ")
        .replaceFirst("^.*\\[ONNXRuntimeError\\] : \\d+ : \\w+ : ", "").strip();
    return reason.substring(0, Math.min(LONGEST_REASON, reason.length()));
  }
}
