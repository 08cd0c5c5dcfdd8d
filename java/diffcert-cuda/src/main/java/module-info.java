/** GPUs beside other CUDA code of the same JVM: device buffers that JavaCPP's CUDA presets allocated. */
module org.diffcert.cuda {
  requires transitive org.diffcert.diffusion;
  requires transitive org.bytedeco.javacpp;

  exports org.diffcert.cuda;
}
