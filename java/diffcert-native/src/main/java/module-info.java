/** Diffusion models and the classifiers made of them: the binding of diffcert's native core. */
module org.diffcert.diffusion {
  requires transitive org.diffcert;
  requires org.bytedeco.javacpp;

  exports org.diffcert.diffusion;
}
