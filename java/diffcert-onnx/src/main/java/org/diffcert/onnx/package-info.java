/** Image classifiers in ONNX files: opened, checked, probed, and asked for votes under integer noise. */
package org.diffcert.onnx;
