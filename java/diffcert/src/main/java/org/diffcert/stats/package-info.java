/** Exact bounds, rounded down; radii; integer certificates. */
package org.diffcert.stats;
