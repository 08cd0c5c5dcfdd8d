/** Strict readers of foreign files: JSON, safetensors, PyTorch zip, pickles. */
package org.diffcert.file;
