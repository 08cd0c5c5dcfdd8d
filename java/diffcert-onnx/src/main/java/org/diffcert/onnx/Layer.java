package org.diffcert.onnx;

import java.util.Arrays;

/**
 * One operator of a classifier that can be differentiated: forwards from values to a value, and back from the gradient
 * of that to those of what it read. Values are float64 in C,H,W order, of one image; sums run in a fixed order.
 * Immutable.
 */
interface Layer {
  /** The value, from those read. */
  double[] forward(double[][] in);

  /** Adds to the gradients of what was read. */
  void back(double[][] in, double[] gradient, double[][] into);

  /** A convolution of one group: weight [outs, ins, kernel, kernel]. */
  record Conv(float[] weight, float[] bias, int ins, int height, int width, int outs, int outHeight, int outWidth,
      int kernelHeight, int kernelWidth, int stride, int top, int left) implements Layer {
    @Override
    public double[] forward(double[][] in) {
      int plane = outHeight * outWidth;
      double[] out = new double[outs * plane];
      for (int o = 0; o < outs; o++) {
        Arrays.fill(out, o * plane, (o + 1) * plane, bias == null ? 0 : bias[o]);
      }
      walk((w, from, to, count) -> {
        for (int x = 0; x < count; x++) {
          out[to + x] += w * in[0][from + x * stride];
        }
      });
      return out;
    }

    @Override
    public void back(double[][] in, double[] gradient, double[][] into) {
      walk((w, from, to, count) -> {
        for (int x = 0; x < count; x++) {
          into[0][from + x * stride] += w * gradient[to + x];
        }
      });
    }

    private interface Row {
      /** A weight between count elements of a row in, from a place on in steps of the stride, and a row out. */
      void take(double w, int from, int to, int count);
    }

    private void walk(Row row) {
      for (int o = 0; o < outs; o++) {
        for (int c = 0; c < ins; c++) {
          for (int ky = 0; ky < kernelHeight; ky++) {
            for (int kx = 0; kx < kernelWidth; kx++) {
              double w = weight[((o * ins + c) * kernelHeight + ky) * kernelWidth + kx];
              int first = Math.max(0, (left - kx + stride - 1) / stride);
              int last = Math.min(outWidth - 1, Math.floorDiv(width - 1 + left - kx, stride));
              for (int y = 0; y < outHeight; y++) {
                int source = y * stride + ky - top;
                if (source >= 0 && source < height && last >= first) {
                  row.take(w, (c * height + source) * width + first * stride + kx - left,
                      (o * outHeight + y) * outWidth + first, last - first + 1);
                }
              }
            }
          }
        }
      }
    }
  }

  /** max(x, 0). */
  record Relu() implements Layer {
    @Override
    public double[] forward(double[][] in) {
      double[] out = in[0].clone();
      for (int i = 0; i < out.length; i++) {
        out[i] = Math.max(0, out[i]);
      }
      return out;
    }

    @Override
    public void back(double[][] in, double[] gradient, double[][] into) {
      for (int i = 0; i < gradient.length; i++) {
        into[0][i] += in[0][i] > 0 ? gradient[i] : 0;
      }
    }
  }

  /** The largest or the mean of windows without padding; of equals the first counts. */
  record Pool(boolean max, int channels, int height, int width, int kernelHeight, int kernelWidth, int strideY,
      int strideX) implements Layer {
    int outHeight() {
      return (height - kernelHeight) / strideY + 1;
    }

    int outWidth() {
      return (width - kernelWidth) / strideX + 1;
    }

    @Override
    public double[] forward(double[][] in) {
      double[] out = new double[channels * outHeight() * outWidth()];
      for (int i = 0; i < out.length; i++) {
        int at = window(i);
        out[i] = max ? in[0][largest(in[0], at)] : mean(in[0], at);
      }
      return out;
    }

    @Override
    public void back(double[][] in, double[] gradient, double[][] into) {
      for (int i = 0; i < gradient.length; i++) {
        int at = window(i);
        if (max) {
          into[0][largest(in[0], at)] += gradient[i];
          continue;
        }
        for (int k = 0; k < kernelHeight * kernelWidth; k++) {
          into[0][at + k / kernelWidth * width + k % kernelWidth] += gradient[i] / (kernelHeight * kernelWidth);
        }
      }
    }

    /** Where the window of an output begins. */
    private int window(int i) {
      int x = i % outWidth();
      int y = i / outWidth() % outHeight();
      int channel = i / outWidth() / outHeight();
      return (channel * height + y * strideY) * width + x * strideX;
    }

    private int largest(double[] in, int at) {
      int best = at;
      for (int k = 1; k < kernelHeight * kernelWidth; k++) {
        int other = at + k / kernelWidth * width + k % kernelWidth;
        best = in[other] > in[best] ? other : best;
      }
      return best;
    }

    private double mean(double[] in, int at) {
      double sum = 0;
      for (int k = 0; k < kernelHeight * kernelWidth; k++) {
        sum += in[at + k / kernelWidth * width + k % kernelWidth];
      }
      return sum / (kernelHeight * kernelWidth);
    }
  }

  /** alpha W x + beta b, W [outs, ins] as it is applied. */
  record Gemm(float[] weight, float[] bias, int ins, int outs, double alpha, double beta) implements Layer {
    @Override
    public double[] forward(double[][] in) {
      double[] out = new double[outs];
      for (int o = 0; o < outs; o++) {
        double sum = 0;
        for (int i = 0; i < ins; i++) {
          sum += weight[o * ins + i] * in[0][i];
        }
        out[o] = alpha * sum + (bias == null ? 0 : beta * bias[o]);
      }
      return out;
    }

    @Override
    public void back(double[][] in, double[] gradient, double[][] into) {
      for (int o = 0; o < outs; o++) {
        double g = alpha * gradient[o];
        for (int i = 0; i < ins; i++) {
          into[0][i] += weight[o * ins + i] * g;
        }
      }
    }
  }

  /** The sum of all that is read; of one value, that value. */
  record Sum() implements Layer {
    @Override
    public double[] forward(double[][] in) {
      double[] out = in[0].clone();
      for (int k = 1; k < in.length; k++) {
        for (int i = 0; i < out.length; i++) {
          out[i] += in[k][i];
        }
      }
      return out;
    }

    @Override
    public void back(double[][] in, double[] gradient, double[][] into) {
      for (double[] each : into) {
        for (int i = 0; i < gradient.length; i++) {
          each[i] += gradient[i];
        }
      }
    }
  }
}
