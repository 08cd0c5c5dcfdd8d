/** Network configurations and model files. */
package org.diffcert.model;
