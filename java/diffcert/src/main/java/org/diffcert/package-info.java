/** Failures that a user can act on. */
package org.diffcert;
