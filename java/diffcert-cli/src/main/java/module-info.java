/** The command line of diffcert. */
module org.diffcert.cli {
  requires org.diffcert;
  requires org.diffcert.diffusion;
  requires org.diffcert.onnx;
  requires info.picocli;
  requires java.management;

  opens org.diffcert.cli to info.picocli;
}
