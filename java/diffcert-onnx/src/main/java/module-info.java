/** Image classifiers in ONNX files, run by ONNX Runtime, as base classifiers of certificates. */
module org.diffcert.onnx {
  requires transitive org.diffcert;
  requires com.microsoft.onnxruntime;

  exports org.diffcert.onnx;
}
