/** Noise levels and weights of the diffusion classifiers: pure functions over arrays. */
package org.diffcert.schedule;
