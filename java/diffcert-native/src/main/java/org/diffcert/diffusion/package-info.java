/**
 * Diffusion models on a device, and the diffusion classifiers whose votes are certified.
 *
 * <p>The natives travel in the jar. Loading them is {@link org.diffcert.diffusion.NativeLibrary}'s business; every
 * native failure comes up as a {@link org.diffcert.DiffcertException} of the fitting kind. Handles are
 * {@code AutoCloseable}; what close, use after close and a forgotten close do is written at
 * {@link org.diffcert.diffusion.DiffusionModel}.
 */
package org.diffcert.diffusion;
