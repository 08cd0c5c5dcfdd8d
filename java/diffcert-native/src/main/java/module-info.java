/** Diffusion models, the classifiers made of them, and their training: the binding of diffcert's native core. */
module org.diffcert.diffusion {
  requires transitive org.diffcert;
  requires org.bytedeco.javacpp;

  exports org.diffcert.diffusion;
  exports org.diffcert.train;
}
