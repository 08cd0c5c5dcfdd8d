/**
 * Certification of image classifiers, pure Java: images, noise, schedules, statistics, certifier, run log, model files.
 */
module org.diffcert {
  requires java.desktop;
  requires org.apache.commons.statistics.interval;
  requires org.apache.commons.statistics.distribution;

  exports org.diffcert;
  exports org.diffcert.image;
  exports org.diffcert.noise;
  exports org.diffcert.schedule;
  exports org.diffcert.stats;
  exports org.diffcert.certify;
  exports org.diffcert.denoise;
  exports org.diffcert.attack;
  exports org.diffcert.run;
  exports org.diffcert.analyze;
  exports org.diffcert.file;
  exports org.diffcert.model;
}
