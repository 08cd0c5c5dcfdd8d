/** Diffusion models as denoisers in front of classifiers: schedules, reverse chains, votes (docs/spec/denoised.md). */
package org.diffcert.denoise;
