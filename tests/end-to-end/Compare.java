import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffcert.file.Safetensors;
import org.diffcert.file.Tensor;

/**
 * Numeric comparisons of the end-to-end scripts: relative L2 error of tensors, relative error of schedules, the cutting of one case's
 * inputs out of a file with many, and a batch to run. Exit code 1 when a limit is passed.
 */
public final class Compare {
  public static void main(String[] a) {
    boolean ok = switch (a[0]) {
      case "tensor" -> within(a[1] + " " + a[2], l2(read(a[1], a[2]), read(a[3], a[4])), a[5]);
      case "schedule" -> schedule(a[1], a[2], a[3], Double.parseDouble(a[4]));
      case "case" -> cut(a[1], a[2], a[3]);
      case "batch" -> batch(a[1], Integer.parseInt(a[2]), Integer.parseInt(a[3]));
      default -> throw new IllegalArgumentException(a[0]);
    };
    System.exit(ok ? 0 : 1);
  }

  private static double[] read(String file, String name) {
    try (Safetensors in = Safetensors.open(Path.of(file))) {
      return in.tensors().get(name).doubles();
    }
  }

  /** A NaN anywhere makes the error NaN, which is within no limit. */
  private static double l2(double[] got, double[] want) {
    if (got.length != want.length) {
      throw new IllegalStateException(got.length + " values where there must be " + want.length);
    }
    double difference = 0;
    double size = 0;
    for (int i = 0; i < want.length; i++) {
      difference += (got[i] - want[i]) * (got[i] - want[i]);
      size += want[i] * want[i];
    }
    return Math.sqrt(difference / size);
  }

  private static boolean within(String what, double error, String limit) {
    boolean ok = error <= Double.parseDouble(limit);
    System.out.printf("%-4s relative L2 error %.3e (limit %s)  %s%n", ok ? "ok" : "BAD", error, limit, what);
    return ok;
  }

  /** TSV columns sigma, lower, level, weight against PREFIX.levels, .weights and, where it is there, .lower. */
  private static boolean schedule(String tsv, String golden, String prefix, double limit) {
    List<double[]> rows = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(Path.of(tsv))) {
        if (line.startsWith("sigma\t")) {
          continue;
        }
        String[] cells = line.split("\t");
        rows.add(new double[] {Double.parseDouble(cells[1]), Double.parseDouble(cells[2]), Double.parseDouble(cells[3])});
      }
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    double worst = 0;
    try (Safetensors in = Safetensors.open(Path.of(golden))) {
      Map<String, Integer> columns = Map.of("lower", 0, "levels", 1, "weights", 2);
      for (Map.Entry<String, Integer> column : columns.entrySet()) {
        Tensor tensor = in.tensors().get(prefix + "." + column.getKey());
        if (tensor == null && column.getKey().equals("lower")) {
          continue;
        }
        double[] want = tensor.doubles();
        if (want.length != rows.size()) {
          throw new IllegalStateException(rows.size() + " rows where there must be " + want.length);
        }
        for (int i = 0; i < want.length; i++) {
          double got = rows.get(i)[column.getValue()];
          double error = got == want[i] ? 0 : Math.abs(got - want[i]) / Math.abs(want[i]);
          worst = Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(worst, error);
        }
      }
    }
    System.out.printf("%-4s relative error %.3e (limit %.0e)  %s, %d levels%n", worst <= limit ? "ok" : "BAD", worst, limit, prefix, rows.size());
    return worst <= limit;
  }

  /** Colour images that are waves, at noise level 1. */
  private static boolean batch(String target, int n, int side) {
    double[] x = new double[n * 3 * side * side];
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.sin(0.1 * i);
    }
    double[] sigma = new double[n];
    Arrays.fill(sigma, 1);
    Safetensors.write(Path.of(target), Map.of(), List.of(Tensor.ofDoubles("sigma", List.of((long) n), sigma),
        Tensor.ofDoubles("x", List.of((long) n, 3L, (long) side, (long) side), x)));
    return true;
  }

  /** Copies the tensors of one sigma, and the image, under the names that diffcert elbo reads. */
  private static boolean cut(String golden, String prefix, String target) {
    try (Safetensors in = Safetensors.open(Path.of(golden))) {
      List<Tensor> tensors = new ArrayList<>();
      for (String name : List.of("x_tau", "lower", "upper", "level_noise")) {
        Tensor tensor = in.tensors().get(prefix + "." + name);
        tensors.add(Tensor.ofDoubles(name, tensor.shape(), tensor.doubles()));
      }
      Tensor image = in.tensors().get("image");
      tensors.add(Tensor.ofDoubles("image", image.shape(), image.doubles()));
      Safetensors.write(Path.of(target), Map.of(), tensors);
    }
    return true;
  }
}
