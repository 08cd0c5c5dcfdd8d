/**
 * Training runs: which image comes when, the directory that survives a crash, the finished model with its card
 * (docs/spec/training.md).
 */
package org.diffcert.train;
