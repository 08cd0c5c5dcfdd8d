/** Keyed noise: Philox counters, integer noise, path noise, float noise by name. */
package org.diffcert.noise;
