/** Device buffers of JavaCPP's CUDA presets as diffcert's. */
package org.diffcert.cuda;
